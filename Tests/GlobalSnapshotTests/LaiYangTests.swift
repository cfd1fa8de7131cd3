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

    @Test("the message that makes its receiver record is not counted among those before, white ones are")
    func countsBeforeRecording() {
        let driven = Driven<LaiYang>(p2, of: pair)
        _ = driven.step(.received(.application(Payload("white"), .zero), from: p1))
        _ = driven.step(.sent(Payload("answer"), to: p1))
        _ = driven.step(.received(.application(Payload("red"), SnapshotEpoch(1)), from: p1))
        _ = driven.step(.sent(Payload("red answer"), to: p1))
        let outputs = driven.step(.stateRecorded(first, Payload("s")))
        guard case .publish(let report)? = outputs.first, case .piece(let piece) = report.content else {
            Issue.record("\(outputs)")
            return
        }
        #expect(piece.whiteReceived == [ChannelCount(channel: ChannelID(from: p1, to: p2), count: 1)])
        #expect(piece.whiteSent == [ChannelCount(channel: ChannelID(from: p2, to: p1), count: 1)])
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

    @Test("a process that departs aborts what is under way, by name, and later snapshots do without it")
    func departure() {
        let driven = Driven<LaiYang>(p1, collection: .flooding)
        _ = driven.step(.snapshotRequested(first))
        _ = driven.step(.stateRecorded(first, Payload("s")))
        let gone = SnapshotReport(id: first, .aborted(.departed(p3)))
        #expect(
            driven.step(.departed(p3)) == [
                .send(.report(gone), to: p2), .abort(first, .departed(p3)),
            ])
        #expect(driven.step(.departed(p3)).isEmpty, "nobody departs twice")
        #expect(driven.step(.snapshotRequested(first)) == [.refuse(first, .ended)])
        let second = driven.core.nextID
        #expect(
            driven.step(.snapshotRequested(second)) == [
                .recordState(second), .send(.colour(SnapshotEpoch(2)), to: p2),
            ])
        let piece = driven.step(.stateRecorded(second, Payload("t")))
        guard case .send(.report(let report), p2)? = piece.first, case .piece(let sent) = report.content
        else {
            Issue.record("\(piece)")
            return
        }
        #expect(sent.sources == [p2] && sent.whiteSent.map(\.channel.to) == [p2])
    }

    @Test("a state that comes after the snapshot was aborted is not wanted")
    func abortedBeforeStated() {
        let driven = Driven<LaiYang>(p1)
        _ = driven.step(.snapshotRequested(first))
        let gone = SnapshotReport(id: first, .aborted(.departed(p2)))
        #expect(driven.step(.departed(p2)) == [.publish(gone)])
        #expect(driven.step(.stateRecorded(first, Payload("s"))).isEmpty)
    }

    @Test("who gives a snapshot up says so, and a snapshot that has not begun cannot be given up")
    func cancellation() {
        let driven = Driven<LaiYang>(p1, of: pair)
        #expect(driven.step(.cancelled(first)).isEmpty)
        _ = driven.step(.snapshotRequested(first))
        let report = SnapshotReport(id: first, .aborted(.cancelled(by: p1)))
        #expect(driven.step(.cancelled(first)) == [.publish(report)])
        #expect(driven.step(.stateRecorded(first, Payload("s"))).isEmpty)
    }

    @Test("past the limit a request is refused")
    func concurrencyLimit() {
        let driven = Driven<LaiYang>(
            p1, of: pair, collection: .flooding, limits: SnapshotLimits(concurrentSnapshots: 1))
        _ = driven.step(.snapshotRequested(first))
        let next = driven.core.nextID
        #expect(driven.step(.snapshotRequested(next)) == [.refuse(next, .tooManySnapshots)])
        _ = driven.step(.stateRecorded(first, Payload("s")))
        #expect(driven.step(.snapshotRequested(next)) == [.refuse(next, .tooManySnapshots)])
    }

    @Test("more late messages in a channel than may be recorded abort the snapshot, naming the channel")
    func byteLimit() {
        let driven = Driven<LaiYang>(
            p1, of: pair, collection: .flooding, limits: SnapshotLimits(recordedBytesPerChannel: 40))
        _ = driven.step(.snapshotRequested(first))
        let long = Payload(String(repeating: "x", count: 9))
        let outputs = driven.step(.received(.application(long, .zero), from: p2))
        #expect(outputs.first == .deliver(long, from: p2))
        #expect(outputs.last == .abort(first, .channelTooLong(ChannelID(from: p2, to: p1))))
    }
}
