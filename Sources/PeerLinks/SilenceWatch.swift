/// Decides when the other side of a connection is to be given up because nothing is heard from it.
///
/// It counts ticks instead of reading a clock: a process that was stopped for a while finds, when it goes on, one
/// tick that is due and what has arrived meanwhile, and gives nobody up for its own absence.
public struct SilenceWatch: Hashable, Sendable {
    private let limit: Int
    private var silentTicks = 0
    /// While this side does not read, it cannot say that the other is silent.
    public var isReading = true

    public init(limit: Int = LinkTimes.silentTicksLimit) { self.limit = limit }

    /// At least one byte has arrived.
    public mutating func heard() { silentTicks = 0 }

    /// To be called every `LinkTimes.tick`; whether the other side is to be given up.
    public mutating func tick() -> Bool {
        guard isReading else {
            silentTicks = 0
            return false
        }
        silentTicks += 1
        return silentTicks >= limit
    }
}
