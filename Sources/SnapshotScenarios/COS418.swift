import Automata
import GlobalSnapshot

/// The runs of Princeton's COS 418 assignment on distributed snapshots, on the production `ChandyLamport`.
///
/// Servers pass tokens over directed links, each a queue of packets with the time at which they are due:
///
/// ```
///   send A B n       A has n tokens less; token(n) goes on the link A B, due at time + 1 + d
///   snapshot A       the next snapshot, counted from 0, starts at A; markers go out on A's links, sorted
///   tick n           n times: the time is one more; every server in sorted order delivers at most one packet,
///                    the first that is due among the heads of its links, by sorted destination
/// ```
///
/// d is the next number of a list, drawn whenever a packet is sent, token or marker; the list begins again
/// when it is used up. Names sort as strings. After the last event the clock ticks on until every snapshot is
/// complete. Pieces are collected outside the links, so that only tokens and markers take their turns.
public struct COS418 {
    /// Why a run could not be carried out, in a sentence that names the file and line where there is one.
    public struct Fault: Error, Hashable, CustomStringConvertible {
        public let message: String
        public init(message: String) { self.message = message }
        public var description: String { message }
    }

    struct Packet {
        let due: Int
        let message: ChandyLamport.Message
    }

    struct Link {
        let channel: ChannelID
        var packets: [Packet] = []
    }

    let topology: COS418Topology
    private let delays: [Int]
    private var drawn = 0
    private var time = 0
    private var tokens: [UInt64]
    private var cores: [ChandyLamport]
    /// By source, then destination: the order in which a tick looks at them.
    private var links: [Link]
    /// By the number of the snapshot.
    private var assemblies: [SnapshotAssembly] = []
    private var completed: [RecordedSnapshot?] = []
    private var outputs: [ChandyLamport.Output] = []

    /// Carries out the events and returns each snapshot as the text of a `.snap` file, in order of its number.
    public static func run(topology: String, events: String, delays: String) throws(Fault) -> [String] {
        var run = try COS418(topology: topology, delays: delays)
        for (line, event) in try COS418Event.parsed(events) { try run.carryOut(event, line: line) }
        try run.finish()
        return run.completed.compactMap { $0.map(run.topology.text) }
    }

    init(topology text: String, delays: String) throws(Fault) {
        let topology = try COS418Topology(text)
        self.topology = topology
        self.delays = try Self.numbers(delays)
        tokens = topology.tokens
        links = topology.links.channels.map { Link(channel: $0) }
        // The assignment bounds neither; a run is as large as its files say.
        let limits = SnapshotLimits(concurrentSnapshots: .max, recordedBytesPerChannel: .max)
        cores = topology.links.processes.map {
            ChandyLamport(
                SnapshotSettings(process: $0, topology: topology.links, collection: .byHost, limits: limits))
        }
    }

    private static func numbers(_ text: String) throws(Fault) -> [Int] {
        var numbers: [Int] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            guard let number = Int(word), number >= 0 else {
                throw Fault(message: "delays: \(word) is no delay")
            }
            numbers.append(number)
        }
        guard !numbers.isEmpty else { throw Fault(message: "delays: there are none") }
        return numbers
    }

    // MARK: Events

    private mutating func carryOut(_ event: COS418Event, line: Int) throws(Fault) {
        func process(_ name: String) throws(Fault) -> ProcessID {
            guard let process = topology.process(named: name) else {
                throw Fault(message: "events line \(line): there is no server \(name)")
            }
            return process
        }
        switch event {
        case .send(let source, let destination, let count):
            let (from, to) = (try process(source), try process(destination))
            guard topology.links.contains(ChannelID(from: from, to: to)) else {
                throw Fault(message: "events line \(line): there is no link from \(source) to \(destination)")
            }
            let held = tokens[topology.index(of: from)]
            guard held >= count else {
                throw Fault(
                    message: "events line \(line): \(source) has \(held) tokens and cannot send \(count)")
            }
            tokens[topology.index(of: from)] -= count
            step(.sent(COS418Topology.payload(count), to: to), at: from)
        case .snapshot(let name):
            let initiator = try process(name)
            let id = SnapshotID(initiator: initiator, sequence: UInt64(assemblies.count))
            assemblies.append(SnapshotAssembly(id, topology: topology.links))
            completed.append(nil)
            step(.snapshotRequested(id), at: initiator)
        case .tick(let count):
            for _ in 0..<count { tick() }
        }
    }

    private mutating func finish() throws(Fault) {
        while let open = completed.firstIndex(of: nil) {
            guard links.contains(where: { !$0.packets.isEmpty }) else {
                throw Fault(
                    message:
                        "snapshot \(open) never completes: some server is not reached, and no packet is under way"
                )
            }
            tick()
        }
    }

    // MARK: Time

    private mutating func tick() {
        time += 1
        var last: ProcessID?
        for index in links.indices where links[index].channel.from != last {
            guard let head = links[index].packets.first, head.due <= time else { continue }
            links[index].packets.removeFirst()
            let channel = links[index].channel
            // One packet a server and tick: its other links wait.
            last = channel.from
            step(.received(head.message, from: channel.from), at: channel.to)
        }
    }

    private mutating func step(_ input: ChandyLamport.Input, at process: ProcessID) {
        let index = topology.index(of: process)
        let now = Instant(nanoseconds: UInt64(time))
        outputs.removeAll()
        cores[index].step(input, at: now, into: &outputs)
        var recorded: [ChandyLamport.Input] = []
        for output in outputs {
            switch output {
            case .send(let message, let to): send(message, on: ChannelID(from: process, to: to))
            case .deliver(let payload, _): tokens[index] += COS418Topology.count(payload)
            case .recordState(let id):
                recorded.append(.stateRecorded(id, COS418Topology.payload(tokens[index])))
            case .publish(let report): collect(report, at: now)
            case .complete, .abort, .refuse: preconditionFailure("\(output) where the host collects")
            }
        }
        for input in recorded { step(input, at: process) }
    }

    private mutating func send(_ message: ChandyLamport.Message, on channel: ChannelID) {
        guard let link = links.firstIndex(where: { $0.channel == channel }) else {
            preconditionFailure("there is no link \(channel)")
        }
        links[link].packets.append(Packet(due: time + 1 + delays[drawn % delays.count], message: message))
        drawn += 1
    }

    private mutating func collect(_ report: SnapshotReport, at now: Instant) {
        let number = Int(report.id.sequence)
        _ = assemblies[number].take(report)
        completed[number] = assemblies[number].snapshot(completedAt: now)
    }
}
