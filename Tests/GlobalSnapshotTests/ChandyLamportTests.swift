import Automata
import Testing

@testable import GlobalSnapshot

let p1 = ProcessID(1)
let p2 = ProcessID(2)
let p3 = ProcessID(3)

/// A core with a clock. A reference, so that an expectation can drive it.
final class Driven<Core: SnapshotCore> {
    var core: Core
    var now: UInt64 = 0

    init(
        _ process: ProcessID, of topology: SnapshotTopology = .complete([p1, p2, p3]),
        collection: SnapshotSettings.Collection = .byHost, limits: SnapshotLimits = SnapshotLimits()
    ) {
        core = Core(
            SnapshotSettings(process: process, topology: topology, collection: collection, limits: limits))
    }

    func step(_ input: Core.Input) -> [Core.Output] {
        now += 1
        var outputs: [Core.Output] = []
        core.step(input, at: Instant(nanoseconds: now), into: &outputs)
        return outputs
    }
}

@Suite("Chandy and Lamport's rules at one process") struct ChandyLamportTests {
    typealias Output = ChandyLamport.Output
    let id = SnapshotID(initiator: p1, sequence: 1)

    private func pieces(_ outputs: [Output]) -> [SnapshotPiece] {
        outputs.compactMap {
            if case .publish(let report) = $0, case .piece(let piece) = report.content { piece } else { nil }
        }
    }

    @Test("who starts records its state first, then sends a marker through every channel")
    func start() {
        let driven = Driven<ChandyLamport>(p1)
        #expect(driven.core.nextID == id)
        let outputs = driven.step(.snapshotRequested(id))
        #expect(outputs == [.recordState(id), .send(.marker(id), to: p2), .send(.marker(id), to: p3)])
        #expect(driven.core.nextID.sequence == 2)
    }

    @Test("the first marker makes a process record, and the channel that it came through is empty")
    func firstMarker() {
        let driven = Driven<ChandyLamport>(p2, of: .complete([p1, p2]))
        let outputs = driven.step(.received(.marker(id), from: p1))
        #expect(outputs == [.recordState(id), .send(.marker(id), to: p1)])
        let piece = pieces(driven.step(.stateRecorded(id, Payload("s"))))
        #expect(piece.count == 1 && piece[0].messages.isEmpty && !piece[0].isInitiator)
    }

    @Test("what comes between recording and a channel's marker is the channel's state, in order of receipt")
    func channelState() {
        let driven = Driven<ChandyLamport>(p1)
        _ = driven.step(.received(.application(Payload("before")), from: p2))
        _ = driven.step(.snapshotRequested(id))
        _ = driven.step(.stateRecorded(id, Payload("s")))
        #expect(
            driven.step(.received(.application(Payload("a")), from: p3)) == [.deliver(Payload("a"), from: p3)]
        )
        _ = driven.step(.received(.application(Payload("b")), from: p2))
        _ = driven.step(.received(.marker(id), from: p3))
        _ = driven.step(.received(.application(Payload("after")), from: p3))
        let piece = pieces(driven.step(.received(.marker(id), from: p2)))
        #expect(piece.count == 1 && piece[0].isInitiator && piece[0].state == Payload("s"))
        let recorded = piece.first?.messages.map(\.payload)
        #expect(recorded == [Payload("a"), Payload("b")])
    }

    @Test("a message that is sent goes into the channel after the markers of what was recorded before it")
    func sends() {
        let driven = Driven<ChandyLamport>(p1)
        var outputs = driven.step(.snapshotRequested(id))
        outputs += driven.step(.sent(Payload("m"), to: p2))
        #expect(outputs.last == .send(.application(Payload("m")), to: p2))
        #expect(outputs.firstIndex(of: .send(.marker(id), to: p2)) == 1)
    }

    @Test("snapshots with different names record independently of each other")
    func concurrent() {
        let other = SnapshotID(initiator: p2, sequence: 1)
        let driven = Driven<ChandyLamport>(p1, of: .complete([p1, p2]))
        _ = driven.step(.snapshotRequested(id))
        _ = driven.step(.stateRecorded(id, Payload("s1")))
        _ = driven.step(.received(.application(Payload("m")), from: p2))
        _ = driven.step(.received(.marker(other), from: p2))
        let second = pieces(driven.step(.stateRecorded(other, Payload("s2"))))
        #expect(second.first?.messages.isEmpty == true && second.first?.state == Payload("s2"))
        let first = pieces(driven.step(.received(.marker(id), from: p2)))
        #expect(first.first?.messages.map(\.payload) == [Payload("m")])
    }

    @Test("several may start the same snapshot: a marker then only closes its channel")
    func sameSnapshot() {
        let driven = Driven<ChandyLamport>(p2, of: .complete([p1, p2]))
        _ = driven.step(.snapshotRequested(id))
        _ = driven.step(.stateRecorded(id, Payload("s")))
        let piece = pieces(driven.step(.received(.marker(id), from: p1)))
        #expect(piece.first?.isInitiator == true)
    }

    @Test("a process that departs aborts what is under way, by name, and its late marker starts nothing")
    func departure() {
        let driven = Driven<ChandyLamport>(p1)
        _ = driven.step(.snapshotRequested(id))
        let report = SnapshotReport(id: id, .aborted(.departed(p3)))
        #expect(driven.step(.departed(p3)) == [.publish(report)])
        #expect(driven.step(.received(.marker(id), from: p2)).isEmpty)
        #expect(driven.step(.received(.marker(id), from: p3)).isEmpty)
        #expect(driven.step(.stateRecorded(id, Payload("s"))).isEmpty)
    }

    @Test("who gives a snapshot up says so to everybody, once, and never about one that has ended")
    func cancellation() {
        let driven = Driven<ChandyLamport>(p1, of: .complete([p1, p2]))
        #expect(driven.step(.cancelled(id)).isEmpty, "it has not begun")
        _ = driven.step(.snapshotRequested(id))
        let report = SnapshotReport(id: id, .aborted(.cancelled(by: p1)))
        #expect(driven.step(.cancelled(id)) == [.publish(report)])
        #expect(driven.step(.cancelled(id)).isEmpty)
        #expect(driven.step(.received(.marker(id), from: p2)).isEmpty)
        let next = driven.core.nextID
        #expect(driven.step(.snapshotRequested(next)).first == .recordState(next), "the next one begins")
    }

    @Test("a departure in the middle ends the snapshot for whoever asked, and the next one does without")
    func departureWithFlooding() {
        let a = Driven<ChandyLamport>(p1, collection: .flooding)
        let b = Driven<ChandyLamport>(p2, collection: .flooding)
        _ = a.step(.snapshotRequested(id))
        _ = a.step(.stateRecorded(id, Payload("s1")))
        _ = b.step(.received(.marker(id), from: p1))
        _ = b.step(.stateRecorded(id, Payload("s2")))
        let gone = SnapshotReport(id: id, .aborted(.departed(p3)))
        #expect(b.step(.departed(p3)) == [.send(.report(gone), to: p1)], "p2 did not ask")
        let outputs = a.step(.received(.report(gone), from: p2))
        #expect(outputs.contains(.abort(id, .departed(p3))))
        #expect(a.step(.departed(p3)).isEmpty, "it has ended already")
        #expect(a.step(.received(.marker(id), from: p2)).isEmpty)
        let next = a.core.nextID
        #expect(
            a.step(.snapshotRequested(next)) == [.recordState(next), .send(.marker(next), to: p2)])
        _ = a.step(.stateRecorded(next, Payload("t1")))
        _ = b.step(.received(.marker(next), from: p1))
        guard case .send(.report(let piece), p1)? = b.step(.stateRecorded(next, Payload("t2"))).first else {
            Issue.record("p2 does not report")
            return
        }
        _ = a.step(.received(.marker(next), from: p2))
        let last = a.step(.received(.report(piece), from: p2))
        guard case .complete(let snapshot)? = last.last else {
            Issue.record("\(last)")
            return
        }
        #expect(snapshot.states.map(\.process) == [p1, p2])
    }

    @Test("past the limit a request is refused, and a marker aborts its snapshot naming who was too busy")
    func concurrencyLimit() {
        let driven = Driven<ChandyLamport>(p1, limits: SnapshotLimits(concurrentSnapshots: 1))
        _ = driven.step(.snapshotRequested(id))
        let next = driven.core.nextID
        #expect(driven.step(.snapshotRequested(next)) == [.refuse(next, .tooManySnapshots)])
        let other = SnapshotID(initiator: p2, sequence: 9)
        let report = SnapshotReport(id: other, .aborted(.tooManySnapshots(at: p1)))
        #expect(driven.step(.received(.marker(other), from: p2)) == [.publish(report)])
        #expect(driven.core.recordingIDs == [id])
    }

    @Test("a channel that holds more than may be recorded aborts the snapshot, and the message is delivered")
    func byteLimit() {
        let driven = Driven<ChandyLamport>(p1, limits: SnapshotLimits(recordedBytesPerChannel: 40))
        _ = driven.step(.snapshotRequested(id))
        let long = Payload(String(repeating: "x", count: 9))
        let report = SnapshotReport(id: id, .aborted(.channelTooLong(ChannelID(from: p2, to: p1))))
        #expect(
            driven.step(.received(.application(long), from: p2)) == [
                .deliver(long, from: p2), .publish(report),
            ])
        #expect(driven.core.recordingIDs.isEmpty)
    }

    @Test("two processes that collect by flooding both learn the whole, and when it was complete")
    func flooding() {
        let a = Driven<ChandyLamport>(p1, of: .complete([p1, p2]), collection: .flooding)
        let b = Driven<ChandyLamport>(p2, of: .complete([p1, p2]), collection: .flooding)
        _ = a.step(.snapshotRequested(id))
        _ = a.step(.stateRecorded(id, Payload("s1")))
        _ = b.step(.received(.marker(id), from: p1))
        let reports = b.step(.stateRecorded(id, Payload("s2")))
        #expect(reports.count == 1)
        guard case .send(.report(let report), _)? = reports.first else {
            Issue.record("\(reports)")
            return
        }
        _ = a.step(.received(.report(report), from: p2))
        let last = a.step(.received(.marker(id), from: p2))
        let complete = RecordedSnapshot(
            id: id, initiators: [p1],
            states: [.init(process: p1, state: Payload("s1")), .init(process: p2, state: Payload("s2"))],
            messages: [], completedAt: Instant(nanoseconds: a.now))
        #expect(last.last == .complete(complete))
        #expect(a.step(.snapshotRequested(id)) == [.refuse(id, .ended)])
    }

    @Test("where some process cannot be reached a snapshot is refused instead of never ending")
    func notStronglyConnected() {
        let topology = SnapshotTopology(processes: [p1, p2], channels: [ChannelID(from: p1, to: p2)])
        let driven = Driven<ChandyLamport>(p1, of: topology, collection: .flooding)
        #expect(driven.step(.snapshotRequested(id)) == [.refuse(id, .notStronglyConnected)])
    }
}
