import Automata
import Coordination
import Member
import NIOCore
import WriteAheadLog

/// Everything that a server is told when it starts. The defaults are etcd's.
public struct ServerOptions: Sendable {
    /// A member of the cluster as its operator names it before it exists.
    public struct InitialMember: Hashable, Sendable {
        public var name: String
        /// `http://host:port`; the host is a name or an address, IPv6 in brackets.
        public var peerURLs: [String]

        public init(name: String, peerURLs: [String]) {
            self.name = name
            self.peerURLs = peerURLs
        }
    }

    public enum ClusterState: Hashable, Sendable {
        /// The members of `initialCluster` form the cluster.
        case new
        /// The cluster exists and has added this member; it is asked who it is before anything else.
        case existing
    }

    public typealias AutoCompaction = Member.AutoCompaction

    public enum LogLevel: Int, Comparable, Sendable {
        case debug, info, warning, error
        /// What ends the process.
        case fatal
        public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
    }

    public var name = "default"
    /// Made when it does not exist; used by one process at a time.
    public var dataDirectory: String
    /// Where the log lies; `nil` for within the data directory.
    public var logDirectory: String? = nil
    public var listenPeerURLs = ["http://localhost:2380"]
    public var advertisePeerURLs = ["http://localhost:2380"]
    /// Published to the cluster, for clients that ask for its members.
    public var advertiseClientURLs = ["http://localhost:2379"]
    /// Must hold this member. Empty: this member alone.
    public var initialCluster: [InitialMember] = []
    /// Clusters with different tokens have different ids even when their addresses are the same.
    public var clusterToken = "etcd-cluster"
    public var clusterState = ClusterState.new

    public var heartbeatInterval = TimeSpan.milliseconds(100)
    public var electionTimeout = TimeSpan.milliseconds(1000)
    /// A durable point of the store is taken at the latest after this many applied entries.
    public var checkpointEntries = 100_000
    /// Entries that are kept behind a durable point for members that lag.
    public var catchUpEntries = 5_000
    /// The relative error of clock rates that reads answered by the leader's lease may rely on; `nil` leaves
    /// such reads off.
    public var leaseReadsClockDriftPPM: UInt64? = nil
    public var limits = ServiceLimits()
    public var autoCompaction = AutoCompaction.off
    /// Off only for tests and `--unsafe-no-fsync`.
    public var synchronises = true
    /// What the log's files are made of; tests bring some that hang.
    var logFiles: any FileSystem = SystemFiles.shared
    /// Requests of clients that wait for an answer; past it they are told that there are too many.
    public var pendingRequestLimit = 65_536
    /// What these requests may hold together, wherever the leader is; past it they are refused in the same way.
    /// A single one above it is taken while nothing else waits.
    public var pendingBytesLimit = 128 << 20

    /// Event loops for the peers' connections; `nil` makes one of the server's own.
    public var peerEventLoops: (any EventLoopGroup)? = nil
    public var minimumLogLevel = LogLevel.info
    /// Takes one line; called on any thread.
    public var log: @Sendable (LogRecord) -> Void = { _ in }
    /// Called once, on any thread, when the server cannot go on (a disk that fails, a command from a later
    /// version). Clients are answered `.stopped` from then on; `stop` must still be called.
    public var failed: @Sendable (String) -> Void = { _ in }

    public init(dataDirectory: String) { self.dataDirectory = dataDirectory }
}

/// Why a server could not start, or had to stop.
public struct ServerError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// The options contradict each other or cannot be read.
        case badOptions
        /// The data directory belongs to another cluster or member, or is in use.
        case foreignDirectory
        case directoryInUse
        case cannotListen
        case damaged
        case failed
    }
    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
