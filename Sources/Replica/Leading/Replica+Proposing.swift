import Automata
import Paxos

/// The proposer's side of phase 2: propose, count, choose.
extension Replica {
    /// Phase 2a in the slots after the last that was proposed in. The messages leave at once, beside the
    /// leader's own record.
    mutating func propose(_ entries: [Entry], _ outputs: inout [ReplicaOutput]) {
        let first = acceptedUpTo.next
        guard case .accepted = acceptor.accept(leadership!.ballot, first: first, entries: entries) else {
            preconditionFailure("\(first) at \(leadership!.ballot) does not continue \(acceptor)")
        }
        acceptedUpTo = acceptedUpTo.advanced(by: entries.count)
        let record = persistAccepted(first, entries, chosenUpTo: chosenUpTo, &outputs)
        leadership!.ownAcceptances.append(upTo: acceptedUpTo, in: record)
        let bytes = entries.reduce(0) { $0 + $1.sizeHint }
        leadership!.bytesInFlight += bytes
        let batch =
            bytes <= settings.batchBytesLimit ? FreshBatch(first: first, entries: entries, bytes: bytes) : nil
        for index in leadership!.peers.indices { replicate(index, fresh: batch, &outputs) }
    }

    /// What of the leader's own acceptances has become durable counts.
    mutating func acceptOwn(_ outputs: inout [ReplicaOutput]) {
        guard let upTo = leadership!.ownAcceptances.takeDurable(upTo: durableUpTo) else { return }
        leadership!.noteAcceptedHere(upTo: upTo)
        choose(&outputs)
    }

    mutating func onAccepted(
        _ accepted: ReplicaMessage.Accepted, from process: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard leadership?.ballot == accepted.ballot, let index = leadership!.peer(process) else { return }
        note(accepted.standing, knowing: accepted.upTo, at: index)
        // A process may know more to be chosen than a leader that waits to enter the next configuration.
        let upTo = min(accepted.upTo, acceptedUpTo)
        leadership!.noteAccepted(upTo, isVote: accepted.standing.isVote, at: index)
        choose(&outputs)
        replicate(index, fresh: nil, &outputs)
    }

    mutating func choose(_ outputs: inout [ReplicaOutput]) {
        let chosen = leadership!.chosenUpTo(in: configuration)
        precondition(chosen <= acceptedUpTo, "\(chosen) is chosen, and only \(acceptedUpTo) was proposed")
        learn(upTo: chosen, &outputs)
    }

    /// The word that something is chosen travels with phase 2a messages, unless none is on its way or the
    /// clients of a process wait for it.
    mutating func tellChosen(_ outputs: inout [ReplicaOutput]) {
        let isIdle = acceptedUpTo == chosenUpTo
        for index in leadership!.peers.indices where leadership!.peers[index].told < chosenUpTo {
            guard isIdle || leadership!.peers[index].isWaiting else { continue }
            leadership!.peers[index].told = chosenUpTo
            leadership!.peers[index].isWaiting = false
            let message = ReplicaMessage.Chosen(ballot: leadership!.ballot, upTo: chosenUpTo)
            send(.chosen(message), to: leadership!.peers[index].process, &outputs)
        }
    }
}
