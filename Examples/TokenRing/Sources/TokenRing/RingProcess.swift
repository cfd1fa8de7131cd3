import Automata
import GlobalSnapshot

/// One process of the ring: an application that passes tokens on, and the snapshot core through which
/// everything goes that it sends and receives.
///
/// The actor is the host that the core needs. It keeps the two promises that count here: inputs are given one
/// at a time, and what is sent to a process arrives in the order in which it was sent, since a channel is an
/// `AsyncStream`.
actor RingProcess {
    typealias Message = ChandyLamport.Message

    let id: ProcessID
    private let next: ProcessID
    private let channel: AsyncStream<Message>.Continuation
    private var core: ChandyLamport
    private var tokens = 0
    private var waiting: [SnapshotID: CheckedContinuation<RecordedSnapshot?, Never>] = [:]
    private let origin = ContinuousClock.now

    init(_ id: ProcessID, in ring: SnapshotTopology, channel: AsyncStream<Message>.Continuation) {
        self.id = id
        next = ring.destinations(of: id)[0]
        self.channel = channel
        core = ChandyLamport(SnapshotSettings(process: id, topology: ring))
    }

    /// A token has come, or is put here for a start. It stays for a while, so that some tokens are held and
    /// some are under way.
    func take() {
        tokens += 1
        Task {
            try? await Task.sleep(for: .milliseconds(Int.random(in: 0...3)))
            tokens -= 1
            step(.sent(Payload("token"), to: next))
        }
    }

    func receive(_ message: Message, from sender: ProcessID) { step(.received(message, from: sender)) }

    /// Everything in the ring as it could have been at one moment, or nil when a process left meanwhile.
    func snapshot() async -> RecordedSnapshot? {
        let id = core.nextID
        return await withCheckedContinuation { continuation in
            waiting[id] = continuation
            step(.snapshotRequested(id))
        }
    }

    private func step(_ input: ChandyLamport.Input) {
        var outputs: [ChandyLamport.Output] = []
        core.step(input, at: now, into: &outputs)
        for output in outputs { carryOut(output) }
    }

    private func carryOut(_ output: ChandyLamport.Output) {
        switch output {
        case .send(let message, _): channel.yield(message)
        case .deliver: take()
        case .recordState(let snapshot): step(.stateRecorded(snapshot, Payload("\(tokens)")))
        case .complete(let snapshot): waiting.removeValue(forKey: snapshot.id)?.resume(returning: snapshot)
        case .abort(let snapshot, _), .refuse(let snapshot, _):
            waiting.removeValue(forKey: snapshot)?.resume(returning: nil)
        case .publish: break
        }
    }

    private var now: Instant {
        let elapsed = origin.duration(to: .now).components
        return Instant(
            nanoseconds: UInt64(elapsed.seconds) * 1_000_000_000 + UInt64(elapsed.attoseconds / 1_000_000_000)
        )
    }
}
