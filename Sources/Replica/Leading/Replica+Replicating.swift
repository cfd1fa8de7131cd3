import Automata
import Paxos

/// Entries that were proposed in this step. Followers that are up to date share the one array.
struct FreshBatch {
    let first: Slot
    let entries: [Entry]
    let bytes: Int
}

/// Keeping the others' logs filled: a window of messages to each, resending after loss, catch-up by log.
extension Replica {
    /// Sends what this process lacks, as far as its window is open.
    mutating func replicate(_ index: Int, fresh: FreshBatch?, _ outputs: inout [ReplicaOutput]) {
        while true {
            let peer = leadership!.peers[index]
            // Below the floor only a checkpoint helps, which waits until the process has said where it is.
            guard peer.next <= acceptedUpTo, peer.next > acceptor.accepted.floor,
                peer.unanswered.count < (peer.isProbing ? 1 : settings.messagesInFlightLimit)
            else { return }
            let open = peer.pace.windowBytes - peer.unansweredBytes
            guard open > 0 || peer.unanswered.isEmpty else { return }
            let entries: [Entry]
            let bytes: Int
            if let fresh, fresh.first == peer.next, fresh.bytes <= open || peer.unanswered.isEmpty {
                (entries, bytes) = (fresh.entries, fresh.bytes)
            } else {
                entries = acceptor.accepted.entries(
                    from: peer.next, through: acceptedUpTo, bytesLimit: min(settings.batchBytesLimit, open))
                bytes = entries.reduce(0) { $0 + $1.sizeHint }
                guard bytes <= open || peer.unanswered.isEmpty else { return }
            }
            let message = ReplicaMessage.Accept(
                ballot: leadership!.ballot, epoch: configuration.epoch, first: peer.next, entries: entries,
                chosenUpTo: chosenUpTo)
            send(.accept(message), to: peer.process, &outputs)
            leadership!.peers[index].noteSent(entries.count, bytes, told: chosenUpTo)
        }
    }

    mutating func onMissing(
        _ missing: ReplicaMessage.Missing, from process: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard leadership?.ballot == missing.ballot, let index = leadership!.peer(process) else { return }
        let peer = leadership!.peers[index]
        let from = min(missing.from, acceptedUpTo.next)
        // Every message of a pipeline behind a lost one is answered so; one rewind is enough.
        let isRewound =
            peer.isProbing && peer.unanswered.first.map { $0.last >= from } == true && peer.next > from
        guard !isRewound else { return }
        leadership!.peers[index].accepted = Slot(from.rawValue - 1)
        leadership!.peers[index].rewind(to: from)
        replicate(index, fresh: nil, &outputs)
    }
}
