import Automata
import Coordination
import Paxos
import Replica

// Changes of who the members are. They are proposals with numbers among all others', and travel in their order.
extension MemberCore {
    mutating func onChangeMembers(
        _ change: ConfigurationChange, _ client: ClientToken, _ outputs: inout [MemberOutput]
    ) {
        guard proposals.count < settings.pendingRequestLimit, !backlog.isFull else {
            return outputs.append(.answer(client, .failure(.tooManyRequests)))
        }
        let isHeld = !canReachLeader
        let number = proposals.add(
            .init(
                origin: .client(client), payload: Payload([]), change: change, begun: now,
                deadline: now + settings.limits.requestTimeout, isHeld: isHeld))
        if !isHeld { request(change, as: ProposalID(process: me, number: number), &outputs) }
    }

    /// Behind everything that gathered before it.
    mutating func request(
        _ change: ConfigurationChange, as id: ProposalID, _ outputs: inout [MemberOutput]
    ) {
        proposeGathered(&outputs)
        step(.reconfigurationRequested(id, change), &outputs)
    }

    mutating func settle(_ change: AppliedBatch.Change, _ outputs: inout [MemberOutput]) {
        guard change.id.process == me, let pending = proposals.remove(change.id.number) else { return }
        end(pending, .success(.done), &outputs)
    }
}
