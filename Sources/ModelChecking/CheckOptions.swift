/// How a model is searched, and where the search gives up.
public struct CheckOptions: Sendable {
    public enum Strategy: Sendable, Equatable {
        /// Finds a shortest counterexample. All workers search together.
        case breadthFirst
        /// Keeps one path and the fingerprints. One worker searches; a counterexample may be long.
        case depthFirst
        /// `count` walks of at most `length` steps. Walk i is drawn from the seed and i alone.
        case randomWalks(count: Int, length: Int, seed: UInt64)
    }

    public var strategy = Strategy.breadthFirst
    public var workers = 1
    /// Keeps whole states beside their fingerprints, so that no two states are ever taken for one.
    public var keepsStates = false
    /// The bytes that tables, states and buffers may take together.
    public var memoryBytes: Int?
    /// Distinct states after which the search stops.
    public var statesLimit: Int?
    /// States on a path after which it is not followed further.
    public var depthLimit: Int?
    /// Asked many times a second, from any thread; once it says yes the search ends with what it has found so far.
    public var isInterrupted: (@Sendable () -> Bool)?
    /// Called from the thread that started the check, many times a second.
    public var progress: (@Sendable (CheckProgress) -> Void)?

    public init() {}
}

/// How far a search is. Rates are for the caller to work out, who has a clock.
public struct CheckProgress: Sendable {
    public var distinctStates: Int
    /// States that actions led to, known or not.
    public var transitions: Int
    /// States on the longest of the shortest paths so far.
    public var depth: Int
    /// Known states whose successors are not.
    public var queued: Int
    public var bytes: Int
}
