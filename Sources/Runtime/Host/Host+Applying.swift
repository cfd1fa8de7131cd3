import Automata
import Coordination
import Paxos
import Replica

// From chosen entries to answers and events.
extension Host {
    /// Applies one batch, or when there is none removes a little of what was compacted.
    func applyNext() throws {
        guard mayWrite else { return }
        guard applier.hasWork else { return try removeCompacted() }
        if isStoreFull, now < applyRetry { return }
        let begun = MonotonicClock.now()
        let batch: Applier.Batch
        do {
            batch = try applier.applyBatch(within: WorkAllowance(units: Applier.unitsHere))
        } catch is WorkAllowance.Spent {
            return applyThread.apply(applier.goAway())
        } catch let error as StoreError where error.code == .full {
            return onStoreFull(error)
        }
        onApplied(batch, took: MonotonicClock.now().since(begun))
    }

    /// Whether this thread may write to the store: no batch is away, and the store can be relied on.
    var mayWrite: Bool { !applier.isAway && !store.isSuspended }

    /// The batch that was too large for this thread is applied, or was not and is tried again.
    func onBatchApplied(_ result: Result<Applier.Step, any Error>, _ took: TimeSpan) throws {
        do {
            let step = try result.get()
            applier.adopt(step)
            onApplied(step.batch, took: took)
        } catch let error as StoreError where error.code == .full {
            applier.abandon()
            onStoreFull(error)
        }
        if let arrival = waitingArrival {
            waitingArrival = nil
            try onCheckpointArrived(arrival)
        }
        try resumeCopy()
    }

    private func onApplied(_ batch: Applier.Batch, took: TimeSpan) {
        onStoreHasRoom()
        instruments.storeCommit.record(took)
        instruments.entriesApplied.add(batch.entries)
        if TimeSpan.milliseconds(100) < took { instruments.slowApplies.add(1) }
        publishState()
        publishEvents(batch)
        follow(batch.consequences)
        instruments.count(batch.results)
        for result in batch.results { onApplied(result) }
        durablePoint.note(entries: batch.entries)
        if batch.configuration != nil { onMembersChanged() }
        step(.applied(upTo: applier.applied))
        answerReady()
    }

    /// What any thread may read is renewed before anybody is told of it.
    func publishState() {
        let revision = applier.ledger.revision
        let compactRevision = applier.ledger.compactRevision
        let alarms = applier.ledger.alarms
        let applied = applier.applied
        let chosen = replica.chosenUpTo
        let pending = proposals.count
        let leaseCount = leases.count
        board.update {
            $0.revision = revision
            $0.compactRevision = compactRevision
            if $0.alarms != alarms { $0.alarms = alarms }
            $0.applied = applied
            $0.chosen = max(applied, chosen)
            $0.pendingProposals = pending
            $0.leases = leaseCount
        }
    }

    private func publishEvents(_ batch: Applier.Batch) {
        instruments.keys.note(batch.consequences.events)
        let revision = applier.ledger.revision
        guard revision != batch.revisionBefore else { return }
        let bytes = feed.isWatched ? batch.consequences.events.reduce(0) { $0 + $1.byteCount } : 0
        feed.publish(
            AppliedEvents(
                after: batch.revisionBefore, through: revision, events: batch.consequences.events,
                bytes: bytes))
    }

    private func follow(_ consequences: Consequences) {
        for change in consequences.leases {
            leases.follow(change, now: now)
            switch change {
            case .granted: instruments.leasesGranted.add(1)
            case .revoked: instruments.leasesRevoked.add(1)
            case .expired: instruments.leasesExpired.add(1)
            }
        }
        if consequences.hasCompacted { hasCompactionWork = true }
        if consequences.hasChangedMembers { onMembersChanged() }
    }

    private func onApplied(_ result: Applier.Result) {
        guard result.id.process == identity.memberID, let pending = proposals.remove(result.id.number) else {
            return
        }
        end(pending, .success(.outcome(result.outcome, slot: result.slot.rawValue)))
    }

    // MARK: compaction

    private func removeCompacted() throws {
        guard hasCompactionWork, !isStoreFull else { return }
        do {
            let step = try applier.removeCompacted(limit: 256)
            hasCompactionWork = step.isLeft
            instruments.compactedKeys.add(step.removed)
        } catch let error as StoreError where error.code == .full {
            return onStoreFull(error)
        }
        if !hasCompactionWork {
            let done = applier.ledger.compactRevision
            for waiter in compactionWaiters where waiter.revision <= done {
                answer(waiter.port, waiter.token, .success(.done))
            }
            compactionWaiters.removeAll { $0.revision <= done }
        }
    }
}
