import Automata
import Paxos

/// What clients propose, here and at followers. A follower forwards once; whether something was proposed
/// twice is never in doubt, whether it was proposed at all may be, and then the client is told so.
extension Replica {
    mutating func onProposed(_ proposals: [Proposal], _ outputs: inout [ReplicaOutput]) {
        if leadership != nil {
            propose(proposals, from: Origin(process: me, incarnation: incarnation), &outputs)
        } else if let leader, servesClients {
            let free = max(0, settings.entriesInFlightLimit - outstanding.count)
            for proposal in proposals.dropFirst(free) {
                outputs.append(.refuseProposal(proposal.id, .busy))
            }
            forward(proposals.prefix(free), to: leader, &outputs)
        } else {
            for proposal in proposals { outputs.append(.refuseProposal(proposal.id, .noLeader)) }
        }
    }

    private mutating func forward(
        _ proposals: ArraySlice<Proposal>, to leader: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        var rest = proposals
        while !rest.isEmpty {
            var bytes = 0
            let end = rest.firstIndex {
                bytes += $0.payload.count
                return bytes > settings.batchBytesLimit
            }
            let count = max(1, (end ?? rest.endIndex) - rest.startIndex)
            forward(.proposals(Array(rest.prefix(count))), to: leader, &outputs)
            for proposal in rest.prefix(count) {
                outstanding.append(proposal.id.number, sequence: forwardSequence)
            }
            rest = rest.dropFirst(count)
        }
    }

    mutating func forward(
        _ request: ReplicaMessage.Forward.Request, to leader: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        forwardSequence += 1
        let message = ReplicaMessage.Forward(
            ballot: acceptor.promised, incarnation: incarnation, sequence: forwardSequence, request: request)
        send(.forward(message), to: leader, after: thisStart, &outputs)
        armResend(&outputs)
    }

    mutating func onForward(
        _ forward: ReplicaMessage.Forward, from process: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        let origin = Origin(
            process: process, incarnation: forward.incarnation, sequence: forward.sequence)
        guard let ballot = leadership?.ballot, ballot == forward.ballot, configuration.isMember(process)
        else {
            // It may be a copy of what this process proposed when it led at that ballot. The first of its kind
            // is none: it came too late, and nothing was or will be proposed of it.
            let isLate =
                pastLeadership?.ballot == forward.ballot
                && pastLeadership!.forwards.admit(process, forward)
            refuse(forward.request.ids, isLate ? .notLeader : .outcomeUnknown, to: origin, &outputs)
            return
        }
        guard leadership!.forwards.admit(process, forward) else { return }
        switch forward.request {
        case .proposals(let proposals): propose(proposals, from: origin, &outputs)
        case .reconfiguration(let id, let change): reconfigure(id, change, from: origin, &outputs)
        }
    }

    /// Proposes as much as the limits allow, now or as soon as something can be proposed again.
    private mutating func propose(
        _ proposals: [Proposal], from origin: Origin, _ outputs: inout [ReplicaOutput]
    ) {
        var free = settings.entriesInFlightLimit - entriesInFlight - leadership!.held.count
        var freeBytes = settings.bytesInFlightLimit - leadership!.bytesInFlight - leadership!.held.bytes
        if chosenUpTo > appliedUpTo.advanced(by: settings.unappliedEntriesLimit) { free = 0 }
        var entries: [Entry] = []
        entries.reserveCapacity(proposals.count)
        let isHolding = cannotPropose
        var refused: [ProposalID] = []
        for proposal in proposals {
            // A payload above the limit may travel when nothing else does.
            guard free > 0, freeBytes > 0 else {
                refused.append(proposal.id)
                continue
            }
            let entry = Entry.payload(proposal.id, proposal.payload)
            free -= 1
            freeBytes -= entry.sizeHint
            if origin.process == me { outstanding.append(proposal.id.number) }
            if isHolding {
                leadership!.held.append(proposal, from: origin, bytes: entry.sizeHint)
            } else {
                entries.append(entry)
            }
        }
        if !refused.isEmpty { refuse(refused, .busy, to: origin, &outputs) }
        if !entries.isEmpty { propose(entries, &outputs) }
    }

    var entriesInFlight: Int { Int(acceptedUpTo.rawValue - chosenUpTo.rawValue) }

    /// Whether the leader waits for a configuration to be chosen and entered, or hands over.
    var cannotPropose: Bool { !leadership!.isOpen || preparing != nil || !configuration.isVoter(me) }

    mutating func proposeHeld(_ outputs: inout [ReplicaOutput]) {
        guard !leadership!.held.isEmpty, !cannotPropose else { return }
        let held = leadership!.held.takeAll()
        propose(held.map { Entry.payload($0.proposal.id, $0.proposal.payload) }, &outputs)
    }

    func refuse(
        _ ids: [ProposalID], _ refusal: Refusal, to origin: Origin, _ outputs: inout [ReplicaOutput]
    ) {
        if origin.process == me {
            for id in ids { outputs.append(.refuseProposal(id, refusal)) }
        } else {
            let message = ReplicaMessage.ForwardRefused(
                incarnation: origin.incarnation, sequence: origin.sequence, proposals: ids, refusal: refusal)
            send(.forwardRefused(message), to: origin.process, &outputs)
        }
    }

    /// Leadership ends: what was held was never proposed, and whoever wants it proposed is told so.
    mutating func refuseHeld(_ outputs: inout [ReplicaOutput]) {
        let all = leadership!.held.takeAll()
        for held in all where held.origin.process == me {
            _ = outstanding.settle(held.proposal.id.number)
            outputs.append(.refuseProposal(held.proposal.id, .noLeader))
        }
        var rest = all.filter { $0.origin.process != me }[...]
        while let origin = rest.first?.origin {
            let end = rest.firstIndex { $0.origin != origin } ?? rest.endIndex
            refuse(rest[..<end].map(\.proposal.id), .notLeader, to: origin, &outputs)
            rest = rest[end...]
        }
    }

    mutating func onForwardRefused(
        _ refused: ReplicaMessage.ForwardRefused, _ outputs: inout [ReplicaOutput]
    ) {
        guard refused.incarnation == incarnation else { return }
        for id in refused.proposals where id.process == me {
            // A proposal that was refused before may have been forwarded anew: a copy of the refusal does not
            // mean that. One in doubt can only be freed from it.
            guard
                outstanding.settle(id.number, sequence: refused.sequence)
                    || refused.refusal != .outcomeUnknown
                        && doubtful.settle(id.number, sequence: refused.sequence)
            else { continue }
            outputs.append(.refuseProposal(id, refused.refusal))
        }
    }
}

extension ReplicaMessage.Forward.Request {
    var ids: [ProposalID] {
        switch self {
        case .proposals(let proposals): proposals.map(\.id)
        case .reconfiguration(let id, _): [id]
        }
    }
}
