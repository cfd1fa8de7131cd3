import Automata
import Paxos

/// The leader's heartbeats: they keep followers from standing, tell how far everything is chosen, and let a quorum
/// confirm that the ballot stands.
extension Replica {
    mutating func onHeartbeatTimer(_ outputs: inout [ReplicaOutput]) {
        guard leadership != nil else { return }
        pulse(&outputs)
        for index in leadership!.peers.indices {
            leadership!.peers[index].noteStall(
                confirmed: leadership!.reached(by: leadership!.peers[index].process))
            replicate(index, fresh: nil, &outputs)
        }
        leadership!.peers.removeAll { $0.pulsesUntilGone == 0 }
        countDownTransfer(&outputs)
    }

    /// The leader's pulse: keeps followers from standing, and carries the chosen watermark.
    mutating func pulse(_ outputs: inout [ReplicaOutput]) {
        outputs.append(
            .setTimer(.heartbeat, after: settings.heartbeatInterval...settings.heartbeatInterval))
        beginRound(isPulse: true, &outputs)
        for index in leadership!.peers.indices { leadership!.peers[index].told = chosenUpTo }
    }

    /// Asks every voter, and for the leader's pulse everybody, to confirm that the ballot stands.
    mutating func beginRound(isPulse: Bool, _ outputs: inout [ReplicaOutput]) {
        leadership!.rounds.begin(at: now)
        following.noteHeard(leadership!.ballot, at: now)
        let heartbeat = ReplicaMessage.Heartbeat(
            ballot: leadership!.ballot, round: leadership!.rounds.current, chosenUpTo: chosenUpTo,
            isPulse: isPulse)
        for peer in leadership!.peers where isPulse || configuration.isVoter(peer.process) {
            send(.heartbeat(heartbeat), to: peer.process, &outputs)
        }
        leadership!.confirmRounds(in: configuration)
    }

    mutating func onHeartbeatAnswer(
        _ answer: ReplicaMessage.HeartbeatAnswer, from process: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard leadership?.ballot == answer.ballot, let index = leadership!.peer(process) else { return }
        let isFirst = leadership!.peers[index].accepted == nil
        note(answer.standing, knowing: answer.chosenUpTo, at: index)
        leadership!.noteAnswer(answer, at: index)
        leadership!.confirmRounds(in: configuration)
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
}
