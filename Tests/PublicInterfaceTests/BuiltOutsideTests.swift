import Automata
import GlobalSnapshot
import Linearizability
import LogicalTime
import Multicast
import Paxos
import Testing

/// What whoever embeds a library needs to build by hand, such as from a wire form of their own. Nothing here is
/// imported for tests alone, so that it compiles only while it is public.
@Suite("Built outside") struct BuiltOutsideTests {
    private let a = ProcessID(1)
    private let b = ProcessID(2)

    @Test("a stamp that came over a wire of one's own")
    func stamps() {
        var order = Multicast.CausalOrder(process: a, group: [a, b])
        let stamp = Multicast.CausalOrder.Stamp(
            number: 1, changes: [Multicast.CausalOrder.Stamp.Entry(member: 0, count: 0)])
        var deliveries: [Multicast.CausalOrder.Delivery] = []
        let isTaken = order.receive(Payload("x"), stamp, from: b, into: &deliveries)
        #expect(isTaken)
        #expect(
            deliveries == [
                Multicast.CausalOrder.Delivery(id: MulticastID(sender: b, number: 1), payload: Payload("x"))
            ])
    }

    @Test("a late message, in the report of one that has recorded")
    func lateMessages() {
        let id = SnapshotID(initiator: a, sequence: 1)
        var assembly = SnapshotAssembly(
            id, topology: SnapshotTopology(processes: [a, b], channels: [ChannelID(from: b, to: a)]))
        let late = LateMessage(
            message: RecordedMessage(channel: ChannelID(from: b, to: a), payload: Payload("m")), receipt: 1)
        let answers = (0..<2).map { _ in assembly.take(SnapshotReport(id: id, .late(late))) }
        #expect(answers == [true, false], "the second time it is known")
    }

    @Test("a promise, a component of a vector and a recorded operation")
    func others() {
        let promise = SynodProposer.Promise(acceptor: a, vote: nil)
        #expect(promise.acceptor == a)
        #expect(VectorTimestamp.Component(process: a, count: 2).count == 2)
        let operation = RecordedOperation(
            process: 0, function: "write", argument: "1", invoked: 0, returned: 1, line: 1)
        #expect(operation.text == "write 1 -> nil")
    }
}
