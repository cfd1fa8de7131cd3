import Coordination

/// What the watchers of a process are told: these things have happened.
public enum WatchInput: Sendable {
    /// A port, by its number, which no other port of the process has had. `head` is the revision that is applied: what
    /// is applied after it is told of, or missed, once it comes.
    case requested([WatchRequest], port: UInt64, head: Int64)
    case portClosed(UInt64)
    case applied(AppliedEvents)
    /// What was applied up to this revision and not told of stands in the store.
    case missed(through: Int64)
    /// What came of `.readPrevious`: the input that follows it. Empty when it cannot be read.
    case previousRead([KeyValue?])
    /// What came of `WatchHub.nextSlice`.
    case historyRead(HistorySlice)
}

/// What a port asks for; see `ServicePort`.
public enum WatchRequest: Sendable {
    case watch(WatchSpecification, WatcherID)
    case cancel(WatcherID)
    case consumed(bytes: Int, WatcherID)
    /// Answered by `.progress` at once, or never.
    case progress([WatcherID], token: UInt64)
    /// Answered by `.progress` when these have been delivered everything up to the revision, or have ended.
    case toldUpTo(Int64, [WatcherID], token: UInt64)
}

/// What the watchers of a process want of their host, in order.
public enum WatchOutput: Sendable {
    /// Deliveries to one port keep their order.
    case deliver(ServiceDelivery, port: UInt64)
    /// What the events of the batch in hand have replaced is to be read from the store, and told before anything else.
    case readPrevious(PreviousVersions)
}

/// The events of one applied batch, of all revisions after `after` up to `through`, in order.
public struct AppliedEvents: Sendable {
    public var after: Int64
    public var through: Int64
    public var events: [KeyValueEvent]

    public init(after: Int64, through: Int64, events: [KeyValueEvent]) {
        self.after = after
        self.through = through
        self.events = events
    }
}
