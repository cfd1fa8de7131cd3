import Automata
import Paxos
import Replica

/// How much waits for the log's disk, which may be slow or hang while the other members choose.
///
/// Past the limit this process takes no more: a proposal of its own clients is refused as one too many; one that
/// another member forwards, and what a leader wants to have accepted, is passed over as if the network had lost
/// it. The replica catches up when the disk does.
public struct LogBacklog: Sendable {
    public static let limitBytes = 32 << 20
    /// Of a record beside what it holds.
    private static let recordBytes = 64

    private var waiting: [(record: UInt64, bytes: Int)] = []
    /// How many of `waiting` are durable by now.
    private var done = 0
    public private(set) var bytes = 0
    /// Whether the limit is reached, and was not left by a half since.
    public private(set) var isFull = false
    /// When the disk last finished something, or was given something while it had nothing to do.
    private var lastProgress = Instant.zero

    public init() {}

    /// Whether something has waited for so long in which the disk finished nothing.
    public func hasStalled(for span: TimeSpan, at now: Instant) -> Bool {
        done < waiting.count && lastProgress + span < now
    }

    /// True when this reaches the limit.
    public mutating func note(_ record: ReplicaRecord, number: UInt64, at now: Instant) -> Bool {
        if done == waiting.count { lastProgress = now }
        var size = Self.recordBytes
        if case .accepted(let acceptance) = record {
            for case .payload(_, let payload) in acceptance.entries {
                size += Self.recordBytes + payload.count
            }
        }
        waiting.append((number, size))
        bytes += size
        guard !isFull, bytes > Self.limitBytes else { return false }
        isFull = true
        return true
    }

    /// True when there is room again.
    public mutating func onDurable(upTo record: UInt64, at now: Instant) -> Bool {
        lastProgress = now
        while done < waiting.count, waiting[done].record <= record {
            bytes -= waiting[done].bytes
            done += 1
        }
        if done > 1024, done > waiting.count / 2 || done == waiting.count {
            waiting.removeFirst(done)
            done = 0
        }
        guard isFull, bytes <= Self.limitBytes / 2 else { return false }
        isFull = false
        return true
    }
}
