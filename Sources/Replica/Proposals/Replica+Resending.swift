import Automata
import Paxos

/// What has no other way to notice that a message was lost: phase 1, and what was asked of the leader.
extension Replica {
    mutating func armResend(_ outputs: inout [ReplicaOutput]) {
        guard !isResendArmed else { return }
        isResendArmed = true
        let interval = settings.heartbeatInterval
        outputs.append(.setTimer(.resend, after: interval...interval * 2))
    }

    mutating func onResendTimer(_ outputs: inout [ReplicaOutput]) {
        isResendArmed = false
        resendPrepares(&outputs)
        if leadership == nil {
            if let leader, !forwardedReads.isEmpty { askForReads(leader, &outputs) }
        }
        expireForwarded(&outputs)
        if preparing != nil || !doubtful.isEmpty
            || leadership == nil && !(outstanding.isEmpty && forwardedReads.isEmpty)
        {
            armResend(&outputs)
        }
    }

    /// A proposal that was forwarded and is not applied after two to four election timeouts was lost on the
    /// way, or its answer was. It is not forwarded again: that might propose it twice.
    private mutating func expireForwarded(_ outputs: inout [ReplicaOutput]) {
        resendCount += 1
        let period = 2 * settings.electionTimeout.nanoseconds / settings.heartbeatInterval.nanoseconds
        guard resendCount % max(period, 1) == 0 else { return }
        doubtful.expire()
        guard leadership == nil else { return }
        let expired = outstanding.expire()
        for proposal in expired {
            outputs.append(.refuseProposal(ProposalID(process: me, number: proposal.number), .outcomeUnknown))
        }
        doubtful.add(expired)
    }
}
