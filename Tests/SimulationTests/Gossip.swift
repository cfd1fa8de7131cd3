import Automata
import Simulation

/// A toy to try the simulator on: processes learn numbers from clients, write each to disk before they pass
/// it on, and repeat all they know now and then. Whatever one of them has said that it knows, all know in
/// the end.
struct Gossip: SimulatedProcess {
    struct Rumour: TraceValue {
        var numbers: [UInt64]
        func trace(into hash: inout StableHash) { for number in numbers { hash.combine(number) } }
        var traceText: String { "rumour \(numbers)" }
    }
    enum Timer: UInt64, TraceValue {
        case repetition
        func trace(into hash: inout StableHash) { hash.combine(rawValue) }
        var traceText: String { "\(self)" }
    }
    struct Number: TraceValue {
        var value: UInt64
        func trace(into hash: inout StableHash) { hash.combine(value) }
        var traceText: String { "\(value)" }
    }

    typealias Message = Rumour
    typealias Request = Number
    typealias Report = Number
    typealias Input = SimulatedInput<Rumour, Timer, Number>
    typealias Output = SimulatedOutput<Rumour, Timer, Number>

    let id: ProcessID
    let others: [ProcessID]
    var known: [UInt64] = []
    /// Known, and written as the write of that number.
    var undurable: [(write: UInt64, number: UInt64)] = []
    var writes: UInt64 = 0
    var received: [[UInt64]] = []
    var fired: [Instant] = []
    private let intact: Int
    private let onDisk: Int

    init(id: ProcessID, others: [ProcessID], disk: SimulatedDisk) {
        self.id = id
        self.others = others
        let bytes = disk.file(0) ?? []
        let (records, intact) = Framing.records(in: bytes)
        self.intact = intact
        onDisk = bytes.count
        known = records.map { $0.reduce(0) { $0 << 8 | UInt64($1) } }
    }

    mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .start:
            if onDisk > intact {
                writes += 1
                outputs.append(.truncate(file: 0, to: intact))
            }
            for number in known { outputs.append(.report(Number(value: number))) }
            repeatAll(into: &outputs)
        case .received(let rumour, _):
            received.append(rumour.numbers)
            for number in rumour.numbers { learn(number, into: &outputs) }
        case .requested(let number):
            learn(number.value, into: &outputs)
        case .timerFired:
            fired.append(now)
            repeatAll(into: &outputs)
        case .durable(let upTo):
            while let first = undurable.first, first.write <= upTo.rawValue {
                outputs.append(.report(Number(value: first.number)))
                undurable.removeFirst()
            }
        case .stored, .filesTurn: break
        }
    }

    private mutating func learn(_ number: UInt64, into outputs: inout [Output]) {
        guard !known.contains(number) else { return }
        known.append(number)
        writes += 1
        undurable.append((writes, number))
        let bytes = (0..<8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        outputs.append(.append(Framing.framed(bytes), file: 0))
        for other in others {
            outputs.append(.send(Rumour(numbers: [number]), to: other, after: RecordNumber(writes)))
        }
    }

    private func repeatAll(into outputs: inout [Output]) {
        for other in others {
            outputs.append(.send(Rumour(numbers: known), to: other, after: RecordNumber(writes)))
        }
        outputs.append(.setTimer(.repetition, after: .milliseconds(200) ... .milliseconds(400)))
    }
}

typealias GossipCluster = SimulatedCluster<Gossip>

func gossipCluster(
    _ count: UInt64, mix: FaultMix = FaultMix(), seed: UInt64, keeping: Trace.Keeping = .hashOnly
) -> GossipCluster {
    let ids = (1...count).map { ProcessID($0) }
    var cluster = GossipCluster(processes: ids, mix: mix, seed: seed, keeping: keeping) { id, _, disk in
        Gossip(id: id, others: ids.filter { $0 != id }, disk: disk)
    }
    for id in ids { cluster.start(id) }
    return cluster
}

extension SimulatedCluster {
    /// Lets everything happen that is due within `span`.
    mutating func advance(for span: TimeSpan) {
        wake(.max, after: span)
        while let occurrence = advance(), occurrence != .woke(.max) {}
    }
}
