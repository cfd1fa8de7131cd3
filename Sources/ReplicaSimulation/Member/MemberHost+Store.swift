import Automata
import Coordination
import Member
import Paxos
import Replica
import Simulation

// The store in memory: what is written to it, on this thread or another, and its durable points.
extension MemberHost {
    var digest: StoreDigest {
        do { return try store.read { try StoreDigest(of: $0) } } catch { preconditionFailure("\(error)") }
    }

    mutating func writeWhenDue(_ outputs: inout [Output]) {
        guard member!.glance.isBatchDue || member!.glance.isCompactionDue, !isWriteAsked else { return }
        guard settings.applyDelay == .zero, member!.glance.isBatchDue else {
            isWriteAsked = true
            let delay = max(settings.applyDelay, .milliseconds(1))
            return outputs.append(.setTimer(.apply, after: .zero...delay))
        }
        write(&outputs)
    }

    mutating func write(_ outputs: inout [Output]) {
        do {
            precondition(
                !keeper.isSuspended || !(member!.glance.isBatchDue || member!.glance.isCompactionDue),
                "something is to be written to a store that is not to be relied on")
            if member!.glance.isBatchDue {
                if random.below(1_000) < settings.awayPerMille {
                    away = member!.applier
                    tell(.batchLeft, &outputs)
                    pass(.batchAway, &outputs)
                    return outputs.append(.setTimer(.batchBack, after: .zero ... .milliseconds(300)))
                }
                apply(try store.write { try member!.nextBatch(in: $0) }, &outputs)
            } else if member!.glance.isCompactionDue {
                let step = try store.write { try member!.nextCompaction(in: $0) }
                if step.removed > 0 { pass(.compacted, &outputs) }
                tell(.compacted(step), &outputs)
            }
        } catch {
            onWriteFailed(error, &outputs)
        }
    }

    mutating func onBatchBack(_ outputs: inout [Output]) {
        guard let applier = away else { return }
        away = nil
        do {
            apply(try store.write { try applier.batch(in: $0) }, &outputs)
        } catch {
            tell(.batchReturned, &outputs)
            onWriteFailed(error, &outputs)
        }
    }

    private mutating func onWriteFailed(_ error: any Error, _ outputs: inout [Output]) {
        guard let error = error as? StoreError, error.code == .full else { preconditionFailure("\(error)") }
        pass(.storeFull, &outputs)
        tell(.storeFull, &outputs)
    }

    private mutating func apply(_ batch: AppliedBatch, _ outputs: inout [Output]) {
        let first = member!.applier.applied.next
        stepMember(.applied(batch))
        // A checkpoint that waited for the batch comes only after what it has applied is told.
        defer { carryOutAll(&outputs) }
        let entries = member!.replica.chosenEntries(
            after: Slot(first.rawValue - 1), through: member!.applier.applied, bytesLimit: .max)
        for case .expired in batch.consequences.leases { pass(.leaseExpired, &outputs) }
        // Nothing, where a checkpoint held it all.
        guard !entries.isEmpty else { return }
        outputs.append(.report(.applied(first: first, entries, batch.results, digest)))
        watchers!.publish(
            AppliedEvents(
                after: batch.revisionBefore, through: member!.applier.ledger.revision,
                events: batch.consequences.events))
    }

    mutating func onStored(_ number: UInt64, _ outputs: inout [Output]) {
        if let written = keeper.writing, written.store <= number { onWritten(&outputs) }
        if let incoming = keeper.incoming, incoming.store <= number { onCheckpointWritten(&outputs) }
    }
}
