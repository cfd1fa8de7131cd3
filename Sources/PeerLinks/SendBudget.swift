import Automata

/// How much may wait on a connection that carries bulk: what it has lately carried within `patience`, and at most
/// `ceiling`. What is late is worth less than what is new, and whoever waits is better told so at once.
///
/// While nothing waits for long, nothing is known about what the connection could carry, and the bound rises to
/// the ceiling.
public struct SendBudget: Hashable, Sendable {
    private let patience: TimeSpan
    private let floor: Int
    private let ceiling: Int
    /// Bytes that were admitted and have not left.
    public private(set) var waiting = 0
    public private(set) var limit: Int

    /// Since when something has waited without pause, and what has left since then.
    private var busySince: Instant?
    private var left = 0

    public init(patience: TimeSpan, floor: Int = 256 << 10, ceiling: Int) {
        self.patience = patience
        self.floor = min(floor, ceiling)
        self.ceiling = ceiling
        limit = ceiling
    }

    /// Whether these bytes may be queued; they count as waiting then. A single frame above the bound travels when
    /// nothing else waits.
    public mutating func admit(_ bytes: Int, at now: Instant) -> Bool {
        guard waiting == 0 || waiting + bytes <= limit else { return false }
        if busySince == nil { busySince = now }
        waiting += bytes
        return true
    }

    /// These bytes have left.
    public mutating func carried(_ bytes: Int, at now: Instant) {
        waiting -= min(bytes, waiting)
        left += bytes
        guard let since = busySince else { return }
        let took = now.since(since)
        if took.nanoseconds * 4 >= patience.nanoseconds {
            let (high, low) = UInt64(left).multipliedFullWidth(by: patience.nanoseconds)
            let carried = high == 0 ? low / took.nanoseconds : UInt64(ceiling)
            limit = min(ceiling, max(floor, Int(min(carried, UInt64(ceiling)))))
            (busySince, left) = (now, 0)
        }
        guard waiting == 0 else { return }
        // It kept up: for all that is known it could carry more.
        if took.nanoseconds * 4 < patience.nanoseconds { limit = min(ceiling, limit * 2) }
        (busySince, left) = (nil, 0)
    }

    /// The connection is gone with all that waited.
    public mutating func reset() { self = SendBudget(patience: patience, floor: floor, ceiling: ceiling) }
}
