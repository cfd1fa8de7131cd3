import Automata
import Paxos

/// What holds between any two steps. Hosts that test call this after each.
extension Replica {
    /// The invariants that do not hold, as sentences with the values at fault; none unless there is a bug.
    public var brokenInvariants: [String] {
        var broken: [String] = []
        func expect(_ holds: Bool, _ sentence: @autoclosure () -> String) {
            if !holds { broken.append(sentence()) }
        }
        let log = acceptor.accepted
        expect(log.floor <= storedUpTo, "trimmed up to \(log.floor), stored only up to \(storedUpTo)")
        expect(appliedUpTo <= deliveredUpTo, "applied \(appliedUpTo) before it was handed up")
        expect(deliveredUpTo <= chosenUpTo, "handed up \(deliveredUpTo) before it was chosen")
        expect(chosenUpTo <= acceptedUpTo, "\(chosenUpTo) is chosen, but accepted is \(acceptedUpTo)")
        expect(acceptedUpTo <= log.last, "accepted \(acceptedUpTo), but the log ends with \(log.last)")
        let end = log.end(of: acceptor.promised, after: chosenUpTo)
        expect(acceptedUpTo == end, "accepted up to \(end) at this ballot, noted is \(acceptedUpTo)")
        expect(durableUpTo <= lastRecord, "record \(durableUpTo) is durable, of \(lastRecord)")
        for (run, next) in zip(log.runs, log.runs.dropFirst()) {
            expect(run.ballot != next.ballot && run.first < next.first, "runs \(run), \(next) are not apart")
        }
        expect(
            log.runs.allSatisfy { $0.ballot <= acceptor.promised }, "accepted above \(acceptor.promised)")

        expect(canvassing == nil || preparing == nil, "canvasses and prepares")
        expect(canvassing == nil || leadership == nil, "canvasses and leads")
        if let preparing {
            expect(preparing.ballot == acceptor.promised, "prepares another ballot than promised")
        }
        guard let leadership else {
            expect(leader != me, "follows itself")
            return broken
        }
        expect(leader == me, "leads and follows \(leader.map(\.description) ?? "nobody")")
        expect(leadership.ballot == acceptor.promised, "leads at a ballot that it did not promise")
        expect(leadership.ballot.process == me, "leads at the ballot \(leadership.ballot) of another")
        expect(outstanding.isEmpty || leader != nil, "waits for proposals and has no leader")
        if let barrier = leadership.barrier {
            expect(acceptedUpTo == barrier, "proposed \(acceptedUpTo) past the barrier \(barrier)")
            expect(log[barrier].isConfiguration, "the barrier \(barrier) is no configuration")
        }
        var bytes = 0
        var slot = chosenUpTo
        while slot < acceptedUpTo {
            slot = slot.next
            bytes += log[slot].sizeHint
        }
        expect(
            bytes == leadership.bytesInFlight, "\(bytes) bytes in flight, \(leadership.bytesInFlight) noted")
        for peer in leadership.peers {
            expect(peer.next <= acceptedUpTo.next, "sent \(peer.next) to \(peer.process) before proposing it")
            expect(
                peer.unanswered.count <= settings.messagesInFlightLimit,
                "\(peer.unanswered.count) messages to \(peer.process)")
            expect(peer.process != me, "is its own peer")
        }
        expect(
            leadership.rounds.confirmed <= leadership.rounds.current, "confirmed a round that did not begin")
        return broken
    }
}
