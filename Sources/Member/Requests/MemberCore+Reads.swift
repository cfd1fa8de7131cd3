import Automata
import Coordination
import Paxos
import Replica

// Reads that wait: linearizable ones, and those that are not to be before a revision.
extension MemberCore {
    mutating func requestGatheredReads(_ outputs: inout [MemberOutput]) {
        guard !newReaders.isEmpty else { return }
        let readers = newReaders
        newReaders = []
        let id = reads.add(
            readers, state: leader == nil ? .held : .requested(at: now), begun: now,
            deadline: now + settings.limits.requestTimeout)
        if leader != nil { step(.readRequested(id), &outputs) }
    }

    mutating func onReadConfirmed(_ id: ReadID, _ slot: Slot, _ outputs: inout [MemberOutput]) {
        reads.confirm(id, at: slot)
        answerReady(&outputs)
    }

    /// The read is asked for again when a leader is known, or with the next beat.
    mutating func onReadRefused(_ id: ReadID, _ refusal: Refusal, _ outputs: inout [MemberOutput]) {
        outputs.append(.report(.readsFailed(1)))
        guard refusal == .busy else { return reads.hold(id) }
        if let read = reads.remove(id) { end(read, .tooManyRequests, &outputs) }
    }

    /// Answers the reads that what is applied suffices for.
    mutating func answerReady(_ outputs: inout [MemberOutput]) {
        answerRevisionWaiters(&outputs)
        guard !reads.isEmpty, !isStoreSuspended else { return }
        for read in reads.removeReady(applied: applier.applied) {
            if TimeSpan.seconds(1) < now.since(read.begun) { outputs.append(.report(.slowRead)) }
            for waiter in read.waiters {
                switch waiter {
                case .client(let client): outputs.append(.answer(client, .success(.ready)))
                case .lease(let number): onLeaseCaughtUp(number, &outputs)
                }
            }
        }
    }

    mutating func answerRevisionWaiters(_ outputs: inout [MemberOutput]) {
        guard !revisionWaiters.isEmpty, !isStoreSuspended else { return }
        for client in revisionWaiters.take(upTo: applier.ledger.revision) {
            outputs.append(.answer(client, .success(.ready)))
        }
    }

    /// Asks again for the reads that wait for a leader, and for those whose answer may have been lost.
    mutating func renewReads(requestedBefore limit: Instant, _ outputs: inout [MemberOutput]) {
        guard leader != nil, !reads.isEmpty else { return }
        for id in reads.renew(requestedBefore: limit, now: now) { step(.readRequested(id), &outputs) }
    }

    mutating func end(_ read: ReadTable.Pending, _ error: ServiceError, _ outputs: inout [MemberOutput]) {
        for waiter in read.waiters {
            switch waiter {
            case .client(let client): outputs.append(.answer(client, .failure(error)))
            case .lease(let number): onLeaseCatchUpFailed(number, error, &outputs)
            }
        }
    }
}
