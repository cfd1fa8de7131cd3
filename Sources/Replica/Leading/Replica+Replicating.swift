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

    mutating func onHeartbeatAnswer(
        _ answer: ReplicaMessage.HeartbeatAnswer, from process: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard leadership?.ballot == answer.ballot, let index = leadership!.peer(process) else { return }
        let isFirst = leadership!.peers[index].accepted == nil
        note(answer.standing, knowing: answer.chosenUpTo, at: index)
        if answer.standing.isVote {
            leadership!.peers[index].answeredRound = max(
                leadership!.peers[index].answeredRound, answer.round)
        }
        leadership!.peers[index].chosenUpTo = max(leadership!.peers[index].chosenUpTo, answer.chosenUpTo)
        leadership!.peers[index].accepted = answer.acceptedUpTo
        confirmRounds()
        choose(&outputs)

        let floor = acceptor.accepted.floor
        if answer.acceptedUpTo < floor {
            if answer.round > leadership!.peers[index].checkpointRound {
                sendCheckpoint(to: process, &outputs)
            }
        } else if isFirst || leadership!.peers[index].next <= floor {
            leadership!.peers[index].rewind(to: min(answer.acceptedUpTo, acceptedUpTo).next)
            replicate(index, fresh: nil, &outputs)
        }
        if leadership!.peers[index].pulsesUntilGone != nil, answer.chosenUpTo > configurationSlot {
            leadership!.peers.remove(at: index)
        }
    }

    /// A peer for every member that has none. Nothing is known of it yet.
    mutating func addPeers() {
        for process in (configuration.voters + configuration.learners).sorted() where process != me {
            if let index = leadership!.peer(process) {
                leadership!.peers[index].pulsesUntilGone = nil
                continue
            }
            let place = leadership!.peers.firstIndex { $0.process > process } ?? leadership!.peers.count
            let pace = Pace(batchBytes: settings.batchBytesLimit, messages: settings.messagesInFlightLimit)
            leadership!.peers.insert(
                Peer(process, next: acceptedUpTo.next, isProbing: true, pace: pace), at: place)
        }
    }

    /// Those that are no members any more are told so, for ten election timeouts at most.
    mutating func dismissPeers() {
        let pulses = 10 * settings.electionTimeout.nanoseconds / settings.heartbeatInterval.nanoseconds
        for index in leadership!.peers.indices
        where !configuration.isMember(leadership!.peers[index].process)
            && leadership!.peers[index].pulsesUntilGone == nil
        {
            leadership!.peers[index].pulsesUntilGone = pulses
        }
    }
}

extension Peer {
    mutating func noteSent(_ count: Int, _ bytes: Int, told chosen: Slot) {
        next = next.advanced(by: count)
        unanswered.append(Sent(last: Slot(next.rawValue - 1), bytes: bytes, pulse: pulses))
        unansweredBytes += bytes
        told = chosen
        isWaiting = false
    }

    mutating func noteAccepted(_ upTo: Slot) {
        noteAnswered(upTo)
        accepted = max(accepted ?? .zero, upTo)
        next = max(next, upTo.next)
        isProbing = false
    }

    /// The messages up to this slot need no answer any more.
    private mutating func noteAnswered(_ upTo: Slot) {
        let count = unanswered.firstIndex { $0.last > upTo } ?? unanswered.count
        for sent in unanswered.prefix(count) {
            unansweredBytes -= sent.bytes
            // Of something that was sent twice nobody knows which copy is answered.
            if !isProbing { pace.noteAnswer(sent.bytes, age: pulses - sent.pulse, at: pulses) }
        }
        unanswered.removeFirst(count)
    }

    /// At every heartbeat: a process that has not got anywhere for longer than its answers take, though it was
    /// sent something, is sent it again.
    mutating func noteStall(confirmed: Slot) {
        // A copy of what the process had confirmed before needs no answer, and must not close the window.
        noteAnswered(confirmed)
        // Neither is enough by itself: after a restart a process may know of less than it has confirmed, and
        // the confirmation of what it says to have accepted may have been lost.
        let reached = min(accepted ?? confirmed, confirmed)
        if reached.next < next, reached == reachedAtPulse {
            if pace.noteStall() {
                // When it has everything, only its answer is missing, and any copy brings that.
                let start = (accepted ?? confirmed).next
                rewind(to: start < next ? start : Slot(next.rawValue - 1))
            }
        } else if reached != reachedAtPulse {
            pace.noteProgress()
        }
        reachedAtPulse = reached
        pulses += 1
        if let pulses = pulsesUntilGone { pulsesUntilGone = pulses - 1 }
    }
}
