import Automata
import Replica

// The end, which costs nobody an answer as long as others can lead.
//
//     leader                              heir          other members
//       │ hands over (replica) ────────────▶│                │
//       │◀──────────────────────────────── leads ───────────▶│
//       │ farewell ────────────────────────▶│ ──────────────▶│
//       │◀─────────── farewellAnswer, once they follow another: what they had sent here has come before
//
// What came too late to be proposed has been refused by then as never proposed, and is asked of the new leader.
extension MemberCore {
    /// A leader hands over if somebody is there to take it. Clients are served all the while, afterwards as by any
    /// follower.
    mutating func beginHandover(_ outputs: inout [MemberOutput]) {
        guard transfer.handover == nil else { return }
        guard isLeading else { return endHandover(&outputs) }
        let heirs = replica.heirs.filter { reached.contains($0) }
        let limit = TransferDesk.Handover.timeLimit(electionTimeout: settings.electionTimeout)
        transfer.handover = .init(heirs: heirs, deadline: now + limit)
        askNextHeir(&outputs)
    }

    private mutating func askNextHeir(_ outputs: inout [MemberOutput]) {
        guard let heir = transfer.handover?.heirs.first else { return endHandover(&outputs) }
        transfer.handover!.heirs.removeFirst()
        step(.transferRequested(to: heir), &outputs)
    }

    /// A transfer has ended, whoever asked for it.
    mutating func onHandoverStep(_ refusal: Refusal?, _ outputs: inout [MemberOutput]) {
        guard transfer.handover != nil, transfer.handover!.unaware == nil else { return }
        guard refusal == nil || !replica.isLeader else { return askNextHeir(&outputs) }
        transfer.handover!.unaware = reached
        sayFarewell(&outputs)
    }

    private mutating func sayFarewell(_ outputs: inout [MemberOutput]) {
        let unaware = (transfer.handover?.unaware ?? []).filter { reached.contains($0) }
        transfer.handover?.unaware = unaware
        guard !unaware.isEmpty else { return endHandover(&outputs) }
        for process in unaware { outputs.append(.send(.farewell, to: process, after: .none)) }
    }

    /// With every beat: what was lost is said again, and there is an end to it.
    mutating func pursueHandover(_ outputs: inout [MemberOutput]) {
        guard let handover = transfer.handover else { return }
        if handover.deadline < now { return endHandover(&outputs) }
        if handover.unaware != nil { sayFarewell(&outputs) }
    }

    mutating func onFarewellAnswer(from sender: ProcessID, _ outputs: inout [MemberOutput]) {
        guard transfer.handover?.unaware != nil else { return }
        transfer.handover!.unaware!.removeAll { $0 == sender }
        if transfer.handover!.unaware!.isEmpty { endHandover(&outputs) }
    }

    private mutating func endHandover(_ outputs: inout [MemberOutput]) {
        transfer.handover = nil
        outputs.append(.handedOver)
        if isStopping { outputs.append(.stopped) }
    }

    /// The answer leaves behind everything that was forwarded to the sender.
    mutating func onFarewell(from sender: ProcessID, _ outputs: inout [MemberOutput]) {
        if leader == sender {
            transfer.noteFarewell(of: sender)
        } else {
            outputs.append(.send(.farewellAnswer, to: sender, after: .none))
        }
    }

    /// Whoever still asks is refused from now on.
    mutating func onStop(_ outputs: inout [MemberOutput]) {
        guard !isStopping else { return }
        isStopping = true
        beginHandover(&outputs)
    }
}
