import Automata
import Paxos

/// Leaving for good, and telling those who have left.
extension Replica {
    /// A process that was a member and is none any more leaves once the configuration without it has chosen
    /// something: until then the others may need it to learn of that configuration.
    mutating func retireIfRemoved(_ outputs: inout [ReplicaOutput]) {
        if configuration.isMember(me) { wasMember = true }
        guard wasMember, !isRetired, !configuration.isMember(me), leadership == nil,
            chosenUpTo > configurationSlot
        else { return }
        retire(&outputs)
    }

    mutating func retire(_ outputs: inout [ReplicaOutput]) {
        isRetired = true
        abandonCandidacy()
        loseLeader(&outputs)
        finishSuccession(.timedOut, &outputs)
        outputs.append(.cancelTimer(.election))
        outputs.append(.cancelTimer(.resend))
        isResendArmed = false
        outputs.append(.retire)
    }

    /// Tells a process that stands in a configuration of the past, and is no voter in the present one, to
    /// let be; one that is gone altogether is told so once that cannot hurt any more.
    ///
    /// A leader that removes itself prepares in the new configuration, whose epoch it names, and is heard.
    mutating func dismiss(
        _ candidate: ProcessID, standingIn epoch: UInt64, _ outputs: inout [ReplicaOutput]
    ) -> Bool {
        guard epoch < configuration.epoch, !configuration.isVoter(candidate) else { return false }
        if !configuration.isMember(candidate), chosenUpTo > configurationSlot {
            send(.dismissed(epoch: configuration.epoch), to: candidate, &outputs)
        }
        return true
    }

    mutating func onDismissed(epoch: UInt64, from other: ProcessID, _ outputs: inout [ReplicaOutput]) {
        guard epoch > configuration.epoch, wasMember, configuration.isMember(other) else { return }
        if leadership != nil { stepDown(&outputs) }
        retire(&outputs)
    }
}
