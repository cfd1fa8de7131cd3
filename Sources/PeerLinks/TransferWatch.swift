/// Decides when one side of a checkpoint's transfer gives it up. That the other side is alive is not enough: a
/// transfer that does not get on holds a view of the store, a thread and a place, and keeps another from being made.
public struct TransferWatch: Hashable, Sendable {
    public enum Verdict: Hashable, Sendable {
        case goOn
        /// Nothing at all was heard from the other side.
        case silent
        /// The other side is there, and nothing moves.
        case stalled
    }

    private var silence: SilenceWatch
    private let stallLimit: Int
    private var stalledTicks = 0

    public init(_ times: LinkTimes) {
        silence = SilenceWatch()
        stallLimit = times.stalledTicksLimit
    }

    /// Whether this side takes what arrives. While it does not, the delay is its own.
    public var isReading: Bool {
        get { silence.isReading }
        set { silence.isReading = newValue }
    }

    public mutating func heard() { silence.heard() }

    /// A piece has left, arrived or been answered.
    public mutating func progressed() { stalledTicks = 0 }

    /// To be called every `LinkTimes.tick`.
    public mutating func tick() -> Verdict {
        if silence.tick() { return .silent }
        guard isReading else { return .goOn }
        stalledTicks += 1
        return stalledTicks >= stallLimit ? .stalled : .goOn
    }
}
