import Automata
import Testing

@testable import GlobalSnapshot

@Suite("Lai and Yang's rules at one process") struct LaiYangTests {
    let first = SnapshotID.epoch(SnapshotEpoch(1))
    private let pair = SnapshotTopology.complete([p1, p2])

    @Test("a red message makes its receiver record before it is delivered")
    func redMessage() {
        let driven = Driven<LaiYang>(p2, of: pair)
        let outputs = driven.step(.received(.application(Payload("m"), SnapshotEpoch(1)), from: p1))
        #expect(
            outputs == [
                .recordState(first), .send(.colour(SnapshotEpoch(1)), to: p1),
                .deliver(Payload("m"), from: p1),
            ])
    }

    @Test("a white message that comes after recording is forwarded as the content of its channel")
    func lateMessage() {
        let driven = Driven<LaiYang>(p1, of: pair)
        _ = driven.step(.snapshotRequested(driven.core.nextID))
        let outputs = driven.step(.received(.application(Payload("m"), .zero), from: p2))
        let late = LateMessage(
            message: RecordedMessage(channel: ChannelID(from: p2, to: p1), payload: Payload("m")), receipt: 1)
        #expect(
            outputs == [
                .deliver(Payload("m"), from: p2), .publish(SnapshotReport(id: first, .late(late))),
            ])
    }

    @Test("a snapshot is complete only when as many late messages are in as the counts say are missing")
    func counts() {
        var assembly = SnapshotAssembly(first, topology: pair)
        let channel = ChannelID(from: p2, to: p1)
        for process in [p1, p2] {
            var piece = SnapshotPiece(
                process: process, isInitiator: process == p1, state: Payload("s"),
                sources: [process == p1 ? p2 : p1])
            if process == p2 { piece.whiteSent = [ChannelCount(channel: channel, count: 3)] }
            if process == p1 { piece.whiteReceived = [ChannelCount(channel: channel, count: 1)] }
            let isNew = assembly.take(SnapshotReport(id: first, .piece(piece)))
            let isNewAgain = assembly.take(SnapshotReport(id: first, .piece(piece)))
            #expect(isNew && !isNewAgain)
        }
        for receipt in [2, 3] as [UInt64] {
            #expect(!assembly.isComplete)
            let message = RecordedMessage(channel: channel, payload: Payload("m\(receipt)"))
            let late = LateMessage(message: message, receipt: receipt)
            let isNew = assembly.take(SnapshotReport(id: first, .late(late)))
            let isNewAgain = assembly.take(SnapshotReport(id: first, .late(late)))
            #expect(isNew && !isNewAgain)
        }
        let snapshot = assembly.snapshot(completedAt: .zero)
        #expect(snapshot?.messages(in: channel) == [Payload("m2"), Payload("m3")])
        #expect(snapshot?.initiators == [p1])
    }

    @Test("a message that was overtaken by two snapshots is late for both")
    func twoEpochs() {
        let driven = Driven<LaiYang>(p1, of: pair)
        _ = driven.step(.received(.colour(SnapshotEpoch(2)), from: p2))
        #expect(driven.core.epoch == SnapshotEpoch(2))
        let outputs = driven.step(.received(.application(Payload("m"), .zero), from: p2))
        let ids = outputs.compactMap { if case .publish(let report) = $0 { report.id } else { nil } }
        #expect(ids == [first, .epoch(SnapshotEpoch(2))])
    }
}
