import Automata
import LogicalTime

/// What happened in a run: one line per event for people, and a running hash over all events that names the
/// run in 32 digits.
public struct Trace: Sendable {
    /// How much of a run is kept as text. The hash is the same for all of them.
    public enum Keeping: Hashable, Sendable {
        case hashOnly
        /// The newest lines, at least this many.
        case last(Int)
        case everything
    }

    public enum Kind: UInt64, Sendable {
        case started, received, timerFired, durable, stored, requested
        case crashed, paused, resumed, cut, healed, clogged, wiped, reset, halfOpened
        case suspended, clockJumped, slowed, damaged
    }

    public private(set) var hash = StableHash()
    /// Each line: virtual time in milliseconds, the process, its logical time where a message was received,
    /// and what happened.
    public private(set) var lines: [String] = []
    private let keeping: Keeping

    init(keeping: Keeping) { self.keeping = keeping }

    var keepsLines: Bool { keeping != .hashOnly }

    mutating func note(_ kind: Kind, at now: Instant, _ process: ProcessID, _ number: UInt64 = 0) {
        mix(kind, now, process)
        hash.combine(number)
        describe(at: now, process) {
            switch kind {
            case .durable, .stored: "\(kind) up to \(number)"
            case .cut, .clogged, .reset, .halfOpened: "\(kind) towards \(ProcessID(number))"
            default: "\(kind)"
            }
        }
    }

    mutating func note(_ kind: Kind, at now: Instant, _ process: ProcessID, _ value: some TraceValue) {
        mix(kind, now, process)
        value.trace(into: &hash)
        describe(at: now, process) { "\(kind) \(value.traceText)" }
    }

    mutating func note(
        _ kind: Kind, at now: Instant, _ process: ProcessID, _ message: some TraceValue, from: ProcessID,
        _ lamport: LamportTimestamp, _ vector: VectorTimestamp?
    ) {
        mix(kind, now, process)
        hash.combine(from.rawValue)
        hash.combine(lamport.counter)
        message.trace(into: &hash)
        describe(at: now, process) {
            "\(lamport) \(vector?.description ?? "") \(kind) \(message.traceText) from \(from)"
        }
    }

    private mutating func mix(_ kind: Kind, _ now: Instant, _ process: ProcessID) {
        hash.combine(kind.rawValue)
        hash.combine(now.nanoseconds)
        hash.combine(process.rawValue)
    }

    /// Adds a line that follows from the events before it and so need not be hashed.
    mutating func describe(at now: Instant, _ process: ProcessID, _ text: () -> String) {
        guard keepsLines else { return }
        let fraction = String(now.nanoseconds % 1_000_000 + 1_000_000).dropFirst()
        lines.append("\(now.nanoseconds / 1_000_000).\(fraction) \(process) \(text())")
        if case .last(let count) = keeping, lines.count >= 2 * count { lines.removeFirst(count) }
    }
}
