import Automata
import GlobalSnapshot
import ModelChecking

/// A production snapshot core around an application that passes single tokens, as a checker drives it. There
/// is one snapshot.
struct SnapshotProcess<Core: CheckedSnapshotCore>: CheckedProcess, Fingerprinted {
    typealias Message = Core.Message

    enum Request: Hashable, Sendable {
        case start
        /// Sends a token away.
        case pass(to: ProcessID)
        /// Sends the markers that were put off.
        case sendMarkers
    }

    private struct Envelope: Hashable, Sendable {
        let message: Message
        let receiver: ProcessID
    }

    let process: ProcessID
    private(set) var core: Core
    private(set) var tokens: UInt64
    /// Tokens that may still be sent; `nil` for any number.
    private(set) var passesLeft: Int?
    /// What the core published, in that order.
    private(set) var reports: [SnapshotReport] = []
    /// What the process held when it recorded; `nil` before.
    private(set) var recordedTokens: UInt64?
    private let flaw: SnapshotFlaw?
    /// Markers that are put off.
    private var putOff: [Envelope] = []
    private let isInitiator: Bool
    private let destinations: [ProcessID]
    /// What tells two of these apart; kept up to date by `step`.
    private(set) var projection: Core.Projection

    static var token: Payload { Payload("t") }

    init(
        _ settings: SnapshotSettings, tokens: UInt64, isInitiator: Bool, passes: Int?,
        flaw: SnapshotFlaw? = nil
    ) {
        process = settings.process
        core = Core(settings)
        self.tokens = tokens
        self.flaw = flaw
        // Whoever tells nobody has to be asked everywhere.
        self.isInitiator = isInitiator || flaw == .noMarkers
        passesLeft = passes
        destinations = settings.topology.destinations(of: settings.process)
        projection = core.projection(of: settings.process, reports)
    }

    var requests: [Request] {
        var requests: [Request] = []
        if isInitiator, !core.hasRecorded(reports) { requests.append(.start) }
        if tokens > 0, passesLeft != 0 { requests += destinations.map { .pass(to: $0) } }
        if !putOff.isEmpty { requests.append(.sendMarkers) }
        return requests
    }

    mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .received(let message, let sender): drive(.received(message, from: sender), &outputs)
        case .requested(.start): drive(.snapshotRequested(Core.checkedID), &outputs)
        case .requested(.pass(let receiver)):
            tokens -= 1
            passesLeft = passesLeft.map { $0 - 1 }
            drive(.sent(Self.token, to: receiver), &outputs)
        case .requested(.sendMarkers):
            for envelope in putOff { outputs.append(.send(envelope.message, to: envelope.receiver)) }
            putOff = []
        case .started, .timerFired, .durable: break
        }
        projection = core.projection(of: process, reports)
    }

    /// Gives the core an input and carries out what it wants, in order.
    private mutating func drive(_ input: Core.Input, _ outputs: inout [Output]) {
        var wanted: [Core.Output] = []
        core.step(input, at: .zero, into: &wanted)
        var recorded: [Core.Input] = []
        for output in wanted {
            switch output {
            case .send(let message, let receiver): send(message, to: receiver, &outputs)
            case .deliver: tokens += 1
            case .recordState(let id):
                recordedTokens = tokens
                recorded.append(.stateRecorded(id, Payload(String(tokens))))
            case .publish(let report): reports.append(report)
            case .complete, .abort, .refuse: preconditionFailure("\(output) where the host collects")
            }
        }
        for input in recorded { drive(input, &outputs) }
    }

    private mutating func send(_ message: Message, to receiver: ProcessID, _ outputs: inout [Output]) {
        switch flaw {
        case .noMarkers where !Core.holdsToken(message): break
        case .lateMarkers where !Core.holdsToken(message):
            putOff.append(Envelope(message: message, receiver: receiver))
        default: outputs.append(.send(message, to: receiver))
        }
    }

    static func == (a: Self, b: Self) -> Bool {
        a.process == b.process && a.tokens == b.tokens && a.passesLeft == b.passesLeft
            && a.projection == b.projection && a.putOff == b.putOff
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(process)
        hasher.combine(tokens)
        hasher.combine(projection)
        hasher.combine(putOff)
    }

    func combine(into hash: inout StableHash) {
        hash.combine(process.rawValue)
        hash.combine(tokens)
        hash.combine(UInt64(bitPattern: Int64(passesLeft ?? -1)))
        StructuralHash.combine(projection, into: &hash)
        if !putOff.isEmpty { StructuralHash.combine(putOff, into: &hash) }
    }
}

/// What a checker has to know of a snapshot core.
protocol CheckedSnapshotCore: SnapshotCore {
    /// What bears on the next steps, and on what is recorded.
    associatedtype Projection: Hashable & Sendable

    /// The one snapshot.
    static var checkedID: SnapshotID { get }
    func hasRecorded(_ reports: [SnapshotReport]) -> Bool
    func projection(of process: ProcessID, _ reports: [SnapshotReport]) -> Projection
    static func holdsToken(_ message: Message) -> Bool
    static func words(_ message: Message) -> String
    static func words(_ projection: Projection) -> String
}
