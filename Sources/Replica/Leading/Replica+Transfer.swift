import Automata
import Paxos

/// Handing leadership over: the leader stops proposing, waits until the target has everything, and tells it
/// to stand without asking anybody first.
extension Replica {
    /// The voters to whom this leader could hand over, the one that has most of the log first.
    public var heirs: [ProcessID] {
        guard let leadership else { return [] }
        return leadership.peers.filter { configuration.isVoter($0.process) }
            .sorted { ($0.accepted ?? .zero, $0.answeredRound) > ($1.accepted ?? .zero, $1.answeredRound) }
            .map(\.process)
    }

    /// Those of them whose disks hold more of what this leader proposes than its own does.
    public var heirsAheadOfOwnDisk: [ProcessID] {
        guard let leadership else { return [] }
        return heirs.filter { leadership.tally[$0] > leadership.tally[me] }
    }

    mutating func onTransferRequested(to target: ProcessID, _ outputs: inout [ReplicaOutput]) {
        guard leadership != nil else {
            outputs.append(.finishTransfer(to: target, .notLeader))
            return
        }
        guard target != me else {
            outputs.append(.finishTransfer(to: target, nil))
            return
        }
        guard configuration.isVoter(target) else {
            outputs.append(.finishTransfer(to: target, .unsuitable))
            return
        }
        if let transfer = leadership!.transfer {
            // The end of the one under way answers both requests when they agree.
            if transfer.target != target { outputs.append(.finishTransfer(to: target, .busy)) }
            return
        }
        let pulses = settings.electionTimeout.nanoseconds / settings.heartbeatInterval.nanoseconds
        leadership!.transfer = LeaderTransfer(to: target, pulses: pulses + 1)
    }

    /// At the end of every step of a leader.
    mutating func advanceTransfer(_ outputs: inout [ReplicaOutput]) {
        guard let transfer = leadership!.transfer, !transfer.isTold, leadership!.barrier == nil,
            preparing == nil, leadership!.tally[transfer.target] == acceptedUpTo
        else { return }
        leadership!.noteTold()
        send(.takeOver(ballot: leadership!.ballot), to: transfer.target, &outputs)
    }

    mutating func countDownTransfer(_ outputs: inout [ReplicaOutput]) {
        guard let transfer = leadership!.transfer else { return }
        let isOver = leadership!.transfer!.countDown()
        guard isOver || !configuration.isVoter(transfer.target) else { return }
        leadership!.transfer = nil
        outputs.append(.finishTransfer(to: transfer.target, .timedOut))
    }

    mutating func onTakeOver(
        _ ballot: Ballot, from sender: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard ballot == acceptor.promised, leader == sender, takesPart,
            isFree(forSuccessorOf: ballot)
        else { return }
        beginPreparing(nextBallot, successorOf: ballot, &outputs)
    }

    /// The transfer that this process began as leader has ended.
    mutating func finishSuccession(_ refusal: Refusal?, _ outputs: inout [ReplicaOutput]) {
        guard let target = successor else { return }
        successor = nil
        outputs.append(.finishTransfer(to: target, refusal))
    }
}
