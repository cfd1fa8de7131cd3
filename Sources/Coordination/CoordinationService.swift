import Automata

/// What a dialect may ask of the server it runs in. Implemented by the runtime, and in memory by tests.
///
/// A dialect opens one port per event loop. Requests are queued on the port and handed over together by
/// `flush`; answers come back in batches through the port's `deliver` closure, which the service calls on
/// a thread of its own: it should do no more than hop to the event loop.
public protocol CoordinationService: AnyObject, Sendable {
    func openPort(deliver: @escaping @Sendable ([ServiceDelivery]) -> Void) -> any ServicePort
    /// Runs `body` on a view of what this process has applied: a serializable read, on the caller's thread.
    func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R
    /// A view that stays open, for streaming a snapshot.
    func openView() throws -> any OrderedView
    /// Says what reading a view has thrown. When it tells of a damaged store the process stops, as it does when
    /// `read` meets one: others have what it has lost, and nothing that it reads can be relied on.
    func note(failedReading error: any Error)
    /// A cheap look at this process; any thread.
    var status: ServiceStatus { get }
    var limits: ServiceLimits { get }
}

/// One event loop's door to the service. Not thread-safe: used by that event loop only.
public protocol ServicePort: AnyObject {
    /// Queues a request. `token` comes back with the answer; every request gets exactly one.
    func submit(_ request: ServiceRequest, token: UInt64)
    /// Starts a watcher; its events come as deliveries under `watcher`. No answer.
    func watch(_ specification: WatchSpecification, watcher: WatcherID)
    func cancelWatch(_ watcher: WatcherID)
    /// Says that this many bytes (`WatchBatch.bytes`) of events delivered to the watcher have left; until
    /// then the service delivers at most a bounded number of bytes ahead and reads the rest from history later.
    func consumed(bytes: Int, watcher: WatcherID)
    /// Asks for the revision up to which all these watchers have had everything; answered only when every
    /// one of them has caught up, otherwise dropped without an answer.
    func requestProgress(of watchers: [WatcherID], token: UInt64)
    /// Asks to hear, by `.progress`, as soon as each of these watchers has been delivered everything up to the
    /// revision or has ended: before that a reader who was promised it shows nothing newer.
    func awaitTold(upTo revision: Int64, _ watchers: [WatcherID], token: UInt64)
    func flush()
    /// Ends all watchers of the port; nothing is delivered afterwards.
    func close()
}

public enum ServiceRequest: Sendable {
    /// To be ordered and applied on every member.
    case command(Command)
    /// Answered with `.ready` once a local read sees everything that was applied anywhere before the
    /// request was made.
    case linearizableRead
    /// Answered with `.ready` once a local read sees everything up to the revision, whoever leads; `.timedOut` where that
    /// takes longer than a request may.
    case read(notBefore: Int64)
    case renewLease(LeaseID)
    /// Remaining and granted time of a lease, as the leader counts it.
    case leaseTimeToLive(LeaseID)
    case moveLeader(to: UInt64)
    case defragment
    /// Wait until this member has physically removed what was compacted up to the revision.
    case compactionFinished(Int64)
}

public enum ServiceDelivery: Sendable {
    case answer(token: UInt64, Result<ServiceAnswer, ServiceError>)
    case events(WatcherID, WatchBatch)
    /// The watcher is at an end: the history that it needs is compacted below this revision.
    case watchCompacted(WatcherID, compactRevision: Int64)
    case progress(token: UInt64, revision: Int64)
    /// No leader has been known for three election timeouts: streams that asked for one are to be ended.
    case leaderLost
}

public enum ServiceAnswer: Sendable {
    /// The outcome of a command and the slot at which it was applied.
    case outcome(any SpaceOutcome, slot: UInt64)
    case ready
    /// Seconds granted anew; zero when there is no such lease.
    case leaseRenewed(seconds: Int64)
    /// Seconds; `remaining` is -1 when there is no such lease.
    case leaseTimeToLive(remaining: Int64, granted: Int64)
    case done
}

/// Why the service could not do what was asked. What the store itself refuses is an outcome, not an error.
public enum ServiceError: Error, Hashable, Sendable {
    case noLeader
    case leaderChanged
    /// Not answered in time: the command may or may not take effect.
    case timedOut
    case timedOutLeaderFailure
    case timedOutConnectionLost
    case tooManyRequests
    case notLeader
    case unsuitableTransferee
    case stopped
    case corrupt
    case unsupportedForLearner
    /// Some member would not know what to do with it: the cluster is being upgraded.
    case notUnderstoodByAll
    case internalFailure(String)
}

public struct LeaseID: Hashable, Comparable, Sendable {
    public let rawValue: Int64
    @inlinable public init(_ rawValue: Int64) { self.rawValue = rawValue }
    @inlinable public static func < (a: LeaseID, b: LeaseID) -> Bool { a.rawValue < b.rawValue }
}

/// Names a watcher on its port; the dialect picks it.
public struct WatcherID: Hashable, Sendable {
    public let rawValue: UInt64
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// Keys from `key` on: only `key` itself when `end` is nil, everything from `key` on when `end` is empty,
/// otherwise all keys before `end`.
public struct KeyRange: Hashable, Sendable {
    public var key: [UInt8]
    public var end: [UInt8]?

    public init(key: [UInt8], end: [UInt8]? = nil) {
        self.key = key
        self.end = end
    }
}

public struct WatchSpecification: Hashable, Sendable {
    /// Whose changes.
    public var space = SpaceID.keyValue
    public var range: KeyRange
    /// The first revision of interest; 0 for what happens from now on.
    public var startRevision: Int64
    public var withoutPuts = false
    public var withoutDeletes = false
    public var previousKeyValue = false
    /// The watcher is told of the first revision that concerns it, and is then at an end.
    public var isOneShot = false

    public init(range: KeyRange, startRevision: Int64 = 0) {
        self.range = range
        self.startRevision = startRevision
    }
}

extension KeyRange {
    public func contains(_ key: [UInt8]) -> Bool { key.withUnsafeBytes { contains($0) } }

    public func contains(_ key: UnsafeRawBufferPointer) -> Bool {
        let order = self.key.withUnsafeBytes { compareBytes($0, key) }
        guard let end else { return order == 0 }
        return order <= 0 && (end.isEmpty || end.withUnsafeBytes { compareBytes(key, $0) } < 0)
    }
}

/// Events of whole revisions, in order: a revision is never split over two batches.
public struct WatchBatch: Sendable {
    /// The store's revision when the batch was made: everything up to it that concerns the watcher is in
    /// this batch or an earlier one.
    public var revision: Int64
    public var events: [KeyValueEvent]
    /// What the batch counts for against the watcher's bound: to be given back through
    /// `ServicePort.consumed` once its events have left.
    public var bytes: Int

    public init(revision: Int64, events: [KeyValueEvent], bytes: Int = 0) {
        self.revision = revision
        self.events = events
        self.bytes = bytes
    }
}

extension KeyValueEvent {
    /// What the event counts for in `WatchBatch.bytes`: its keys and values, and a little for the rest.
    public var byteCount: Int {
        var bytes = 64 + keyValue.key.count + keyValue.value.count
        if let previous { bytes += 64 + previous.key.count + previous.value.count }
        return bytes
    }
}

public struct ServiceMember: Hashable, Sendable {
    public var id: UInt64
    public var name: String
    public var peerURLs: [String]
    public var clientURLs: [String]
    public var isLearner: Bool

    public init(id: UInt64, name: String, peerURLs: [String], clientURLs: [String], isLearner: Bool) {
        self.id = id
        self.name = name
        self.peerURLs = peerURLs
        self.clientURLs = clientURLs
        self.isLearner = isLearner
    }
}

public struct ServiceStatus: Sendable {
    public var clusterID: UInt64 = 0
    public var memberID: UInt64 = 0
    /// 0 when none is known.
    public var leaderID: UInt64 = 0
    /// How long ago this process heard from the leader, or as leader from a quorum, last; nil where it never has.
    public var leaderContact: TimeSpan?
    /// The round of the highest ballot that this process knows of; it never falls.
    public var ballotRound: UInt64 = 0
    public var chosenSlot: UInt64 = 0
    public var appliedSlot: UInt64 = 0
    public var revision: Int64 = 1
    /// -1 while nothing has been compacted.
    public var compactRevision: Int64 = -1
    public var members: [ServiceMember] = []
    public var storeBytes: Int = 0
    public var storeBytesInUse: Int = 0
    public var isLearner = false
    /// Alarms raised, by member.
    public var alarms: [Alarm] = []
    /// Counters and histograms under the names of the metrics that the dialect renders.
    public var metrics: [ServiceMetric] = []

    public init() {}
}

public struct Alarm: Hashable, Sendable {
    public enum Kind: UInt8, Sendable {
        case noSpace = 1
        case corrupt = 2
    }
    public var member: UInt64
    public var kind: Kind

    public init(member: UInt64, kind: Kind) {
        self.member = member
        self.kind = kind
    }
}

/// A reading of one of the server's own instruments. Names are ours (`wal_sync_seconds`,
/// `proposals_pending`); a dialect maps them to those that its users know.
public struct ServiceMetric: Sendable {
    public enum Value: Sendable {
        case counter(Double)
        case gauge(Double)
        /// Upper bounds in seconds with cumulative counts, the total count and the sum.
        case histogram(bounds: [Double], counts: [UInt64], count: UInt64, sum: Double)
    }
    public var name: String
    /// Tells readings of one name apart, such as those of each peer.
    public var labels: [(name: String, value: String)]
    public var value: Value

    public init(name: String, labels: [(name: String, value: String)] = [], value: Value) {
        self.name = name
        self.labels = labels
        self.value = value
    }
}

/// etcd's defaults; all are settings.
public struct ServiceLimits: Hashable, Sendable {
    public var requestBytes = 1_572_864
    public var transactionOperations = 128
    /// Zero or less: no quota.
    public var quotaBytes: Int = 2 << 30
    public var requestTimeout = TimeSpan.seconds(7)
    public var minimumLeaseSeconds: Int64 = 2
    public var concurrentStreams: UInt32 = .max
    public var watchProgressInterval = TimeSpan.seconds(600)
    public var electionTimeout = TimeSpan.milliseconds(1000)

    public init() {}
}
