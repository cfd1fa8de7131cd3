import Automata
import Paxos

/// Membership that changes through the log: one change at a time, each an entry of its own.
///
/// ```
///   slot s: configuration e+1 ──chosen by e──▶ phase 1 at the same ballot among e+1 for slots > s
///                                              ──▶ slot s+1: noop ──chosen by e+1──▶ s is applied
/// ```
extension Replica {
    mutating func onReconfigurationRequested(
        _ id: ProposalID, _ change: ConfigurationChange, _ outputs: inout [ReplicaOutput]
    ) {
        if leadership != nil {
            reconfigure(id, change, from: Origin(process: me, incarnation: incarnation), &outputs)
        } else if let leader, servesClients {
            forward(.reconfiguration(id, change), to: leader, &outputs)
            outstanding.append(id.number, sequence: forwardSequence)
        } else {
            outputs.append(.refuseProposal(id, .noLeader))
        }
    }

    mutating func reconfigure(
        _ id: ProposalID, _ change: ConfigurationChange, from origin: Origin,
        _ outputs: inout [ReplicaOutput]
    ) {
        guard isReady, !cannotPropose else {
            refuse([id], .changeInProgress, to: origin, &outputs)
            return
        }
        guard isSuitable(change),
            let next = try? configuration.applying(change, learnerDisk: disk(ofSubjectOf: change))
        else {
            refuse([id], .unsuitable, to: origin, &outputs)
            return
        }
        if origin.process == me { outstanding.append(id.number) }
        leadership!.close(behind: acceptedUpTo.next)
        propose([.configuration(id, next)], &outputs)
    }

    /// Only a learner that has nearly all entries becomes a voter: until it has them, its vote is missing.
    ///
    /// A voter that is alone is not replaced: no other voter would know of the change when it stops right then, and the
    /// one in its place, which does not either, is the only one who may lead. It is joined by another first.
    private func isSuitable(_ change: ConfigurationChange) -> Bool {
        switch change {
        case .promote(let process): isNearlyCaughtUp(process)
        case .replace(let old, let new, _):
            configuration.voters != [old]
                && (!configuration.isVoter(old) || !configuration.isLearner(new) || isNearlyCaughtUp(new))
        case .add, .remove, .setQuorums: true
        }
    }

    private func isNearlyCaughtUp(_ process: ProcessID) -> Bool {
        leadership!.reached(by: process).advanced(by: settings.promotionLagLimit) >= acceptedUpTo
    }

    /// What a learner that is to become a voter has said about itself.
    private func disk(ofSubjectOf change: ConfigurationChange) -> DiskID? {
        let subject: ProcessID
        switch change {
        case .promote(let process), .replace(_, let process, _): subject = process
        case .add, .remove, .setQuorums: return nil
        }
        return leadership!.peer(subject).flatMap { leadership!.peers[$0].standing?.disk }
    }

    /// Called once at the end of the step in which another configuration came into force.
    mutating func onConfigurationChanged(_ outputs: inout [ReplicaOutput]) {
        if leadership != nil {
            enterConfiguration(&outputs)
        } else if let preparing {
            if takesPart {
                let own = preparing.ownRecord
                prepareSuffix(ownRecord: own, successorOf: preparing.successorOf, &outputs)
            } else {
                abandonCandidacy()
                setElectionTimer(&outputs)
            }
        } else {
            canvassing = nil
        }
    }

    /// A leader begins anew in a configuration, at the same ballot. It may be no member of it: then it only
    /// completes the change.
    private mutating func enterConfiguration(_ outputs: inout [ReplicaOutput]) {
        precondition(
            acceptedUpTo == chosenUpTo, "\(acceptedUpTo) was proposed past a change of configuration")
        leadership!.enterConfiguration()
        leadership!.addPeers(of: configuration, next: acceptedUpTo.next, settings)
        // A process that is gone is told so, for ten election timeouts at most.
        let pulses = 10 * settings.electionTimeout.nanoseconds / settings.heartbeatInterval.nanoseconds
        leadership!.dismissPeers(outside: configuration, pulses: pulses)
        prepareSuffix(ownRecord: .none, successorOf: nil, &outputs)
        if leadership != nil { beginRound(isPulse: true, &outputs) }
    }

    /// The leader is no voter of the configuration in force, which has proved that it works: it tells the
    /// voter that is furthest to take over, and leaves.
    mutating func handOver(_ outputs: inout [ReplicaOutput]) {
        let heir = configuration.voters.max { leadership!.tally[$0] < leadership!.tally[$1] }
        if let heir {
            send(.takeOver(ballot: leadership!.ballot), to: heir, &outputs)
        }
        stepDown(&outputs)
    }
}
