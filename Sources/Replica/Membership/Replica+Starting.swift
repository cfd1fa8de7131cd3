import Automata
import Paxos

/// Coming up, and taking part from then on.
extension Replica {
    var me: ProcessID { settings.process }

    mutating func onStart(_ outputs: inout [ReplicaOutput]) {
        persist(.started(incarnation: incarnation, isMember: wasMember), &outputs)
        // The log is kept behind the stored slot only where it is known to hold what was chosen; saying so
        // before any later hint keeps that true after the next restart.
        if hintedUpTo < storedUpTo {
            persist(.floor(storedUpTo), &outputs)
            hintedUpTo = storedUpTo
        }
        following.noteStart(at: now)
        outputs.append(.configurationChanged(configuration))
        learn(upTo: hintedUpTo, &outputs)
        beginTakingPart(&outputs)
    }

    mutating func onFormed(_ first: Configuration, _ outputs: inout [ReplicaOutput]) {
        guard configuration.epoch == 0 else { return }
        configuration = first
        epochInUse = first.epoch
        outputs.append(.configurationChanged(first))
        beginTakingPart(&outputs)
    }

    mutating func beginTakingPart(_ outputs: inout [ReplicaOutput]) {
        if isQuorumAlone, !isBoundByLease {
            beginPreparing(nextBallot, &outputs)
        } else {
            let early =
                settings
                .heartbeatInterval...max(
                    settings.heartbeatInterval, settings.electionTimeout.half)
            outputs.append(.setTimer(.election, after: early))
        }
    }
}

extension TimeSpan {
    var half: TimeSpan { TimeSpan(nanoseconds: nanoseconds / 2) }
}
