import Automata
import Coordination
import Member
import Paxos
import Replica

// Lets the member write to the store, and tells everybody of what is applied.
extension Host {
    /// What ranges and deletions of a batch may cost on the replica thread; see `WorkAllowance`.
    static let unitsHere = 5_000

    /// Writes one batch, or when there is none removes a little of what was compacted.
    func writeNext() throws {
        do {
            if member.glance.isBatchDue {
                try applyNext()
            } else if member.glance.isCompactionDue {
                let step = try store.store.write { try member.nextCompaction(in: $0) }
                instruments.compactedKeys.add(step.removed)
                tell(.compacted(step))
            }
        } catch let error as StoreError where error.code == .full {
            onStoreFull(error)
        }
    }

    private func applyNext() throws {
        let begun = MonotonicClock.now()
        let batch: AppliedBatch
        do {
            let allowance = WorkAllowance(units: Host.unitsHere)
            batch = try store.store.write { try member.nextBatch(in: $0, within: allowance) }
        } catch is WorkAllowance.Spent {
            tell(.batchLeft)
            return applyThread.apply(member.applier)
        }
        readClock()
        onApplied(batch, took: now.since(begun))
    }

    /// The batch that was too large for this thread is applied, or was not and is tried again.
    func onBatchApplied(_ result: Result<AppliedBatch, any Error>, _ took: TimeSpan) throws {
        do {
            onApplied(try result.get(), took: took)
        } catch let error as StoreError where error.code == .full {
            tell(.batchReturned)
            onStoreFull(error)
        }
    }

    /// What any thread may read is renewed, and watchers are told, before anybody is answered.
    private func onApplied(_ batch: AppliedBatch, took: TimeSpan) {
        instruments.storeCommit.record(took)
        instruments.entriesApplied.add(batch.entries)
        if TimeSpan.milliseconds(100) < took { instruments.slowApplies.add(1) }
        instruments.count(batch)
        hold { tell(.applied(batch)) }
        publishState()
        publishEvents(batch)
        carryOutAll()
    }

    func publishState() {
        let glance = member.glance
        board.update { $0.member = glance }
    }

    private func publishEvents(_ batch: AppliedBatch) {
        instruments.keys.note(batch.consequences.events)
        let revision = member.glance.revision
        guard revision != batch.revisionBefore else { return }
        let bytes = feed.isWatched ? batch.consequences.events.reduce(0) { $0 + $1.byteCount } : 0
        feed.publish(
            AppliedEvents(
                after: batch.revisionBefore, through: revision, events: batch.consequences.events),
            bytes: bytes)
    }
}
