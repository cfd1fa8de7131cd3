import Automata
import Coordination
import NIOCore
import NIOPosix
import Paxos
import PeerLinks
import Replica
import Synchronization
import WriteAheadLog

/// A member of a cluster in production: the host that carries out what a `Replica` asks for, and the service
/// that dialects talk to.
///
///     replica thread   the replica, its timers, the applied state      (`Host`)
///     log thread       writes and syncs the log                        (`LogThread`)
///     watch thread     every watcher                                   (`WatchThread`)
///     store thread     makes the store durable, and anew               (`StoreKeeper`)
///     apply thread     batches that take long                          (`ApplyThread`)
///     event loops      the peers' connections                          (`PeerNetwork`)
public final class Server: CoordinationService, @unchecked Sendable {
    public let options: ServerOptions
    private let identity: Identity
    private let directory: DataDirectory
    private let ownLoops: MultiThreadedEventLoopGroup?
    private let inbox = Mailbox<HostInput>(capacity: 16_384)
    private let store: StoreBox
    private let feed: WatchFeed
    private let board = StatusBoard()
    private let instruments = Instruments()
    private let network: PeerNetwork
    private let importer: CheckpointImporter
    private let exporter: CheckpointExporter
    private let keeper: StoreKeeper
    private let applyThread: ApplyThread
    private let logThread: LogThread

    private var hostThread: DedicatedThread?
    private var logDedicated: DedicatedThread?
    private var hubThread: DedicatedThread?
    private var keeperThread: DedicatedThread?
    private var applyDedicated: DedicatedThread?
    private let isStopped = Mutex(false)
    private let lastPort = Atomic<UInt64>(0)

    /// Recovers from the data directory, listens for peers and takes part. Blocks until the server serves;
    /// a leader need not be known by then. Throws `ServerError`.
    public static func start(_ options: ServerOptions) throws -> Server {
        try start(options) { path in try openLMDBStore(path, options) }
    }

    /// Tests bring stores that fail on purpose.
    static func start(
        _ options: ServerOptions, openStore: @escaping @Sendable (String) throws -> any ServerStore
    ) throws -> Server {
        let ownLoops =
            options.peerEventLoops == nil ? MultiThreadedEventLoopGroup(numberOfThreads: 1) : nil
        do {
            return try Server(options, openStore, ownLoops)
        } catch {
            try? ownLoops?.syncShutdownGracefully()
            throw serverError(error)
        }
    }

    private static func serverError(_ error: any Error) -> ServerError {
        do {
            throw error
        } catch let error as ServerError {
            return error
        } catch let error as DataDirectoryError {
            switch error.code {
            case .inUse: return ServerError(.directoryInUse, error.message)
            case .foreign: return ServerError(.foreignDirectory, error.message)
            case .damaged: return ServerError(.damaged, error.message)
            default: return ServerError(.failed, error.message)
            }
        } catch let error as WriteAheadLogError {
            switch error.code {
            case .damaged, .missingSegment: return ServerError(.damaged, error.message)
            case .foreign: return ServerError(.foreignDirectory, error.message)
            default: return ServerError(.failed, error.message)
            }
        } catch let error as ReplicaRecoveryError {
            return ServerError(.damaged, error.message)
        } catch let error as StoreError {
            return ServerError(error.code == .damaged ? .damaged : .failed, error.message)
        } catch {
            return ServerError(.failed, "\(error)")
        }
    }

    private init(
        _ options: ServerOptions, _ openStore: @escaping @Sendable (String) throws -> any ServerStore,
        _ ownLoops: MultiThreadedEventLoopGroup?
    ) throws {
        self.options = options
        self.ownLoops = ownLoops
        let report = Reporter(minimum: options.minimumLogLevel, log: options.log)
        let listenURLs = try options.listenPeerURLs.map { try PeerURL($0) }
        for url in listenURLs where url.isSecure {
            throw ServerError(.badOptions, "\(url): peers cannot be reached by TLS yet; use http://")
        }
        try EtcdDirectory.refuse(data: options.dataDirectory, log: options.logDirectory)
        let directory = try DataDirectory.open(options.dataDirectory)
        self.directory = directory
        let logDirectory = options.logDirectory ?? directory.path(of: "log")
        let found = try DirectoryInventory(directory, logDirectory: logDirectory)
        try found.judge()
        let loops: any EventLoopGroup = options.peerEventLoops ?? ownLoops!
        let first = try directory.read(FirstMembers.fileName).map {
            try FirstMembers(decoding: $0, path: directory.path(of: FirstMembers.fileName))
        }
        identity = try Identity.settled(options, owner: directory.identity, first: first) { urls in
            try PeerInquiry.clusterID(asking: urls, on: loops, seconds: 30)
        }
        report.names.use(identity.members)
        for notice in identity.notices { report(.warning, LogLine(notice)) }
        if directory.identity == nil || (first == nil && identity.notices.isEmpty) {
            // Before the directory belongs to anybody, so that one that does always says what it was told.
            let first = FirstMembers(isJoining: identity.isJoining, members: identity.members)
            try directory.replace(FirstMembers.fileName, with: first.encoded())
        }
        let ownFormation = try Server.claim(directory, identity, found)

        let folders = try StoreFolders(directory, openStore: openStore)
        let recovery = try HostRecovery(
            options: options, identity: identity, directory: directory, logDirectory: logDirectory,
            folders: folders, ownFormation: ownFormation, report: report)
        store = recovery.store
        feed = WatchFeed(revision: recovery.member.applier.ledger.revision)

        importer = CheckpointImporter(stores: folders, host: inbox, report: report)
        let times = LinkTimes(electionTimeout: options.electionTimeout)
        exporter = CheckpointExporter(
            store: store, group: loops, clusterID: identity.clusterID, own: identity.memberID,
            formation: ownFormation, times: times, host: inbox, instruments: instruments, report: report)
        network = PeerNetwork(
            clusterID: identity.clusterID, own: identity.memberID, formation: ownFormation, group: loops,
            frameLimit: max(16 << 20, 4 * options.limits.requestBytes), times: times, host: inbox,
            checkpoints: importer, instruments: instruments, report: report)
        keeper = StoreKeeper(store: store, folders: folders, host: inbox, instruments: instruments)
        applyThread = ApplyThread(store: store, host: inbox)
        logThread = LogThread(log: recovery.log, host: inbox, network: network, instruments: instruments)
        do {
            try network.listen(on: listenURLs)
        } catch {
            network.close()
            recovery.log.close()
            directory.close()
            throw error
        }
        startThreads(recovery, ownFormation, report)
        report(
            .info,
            "\(member: identity.memberID, as: "local-member-id") of cluster "
                + "\(hex(identity.clusterID), as: "cluster-id") recovered up to "
                + "\(recovery.member.applier.applied, as: "applied") and listens for peers on "
                + "\(network.addresses.map(shown).joined(separator: ", "), as: "address")")
    }

    /// Makes the directory this member's and names its disk, before anybody is told of either.
    private static func claim(
        _ directory: DataDirectory, _ identity: Identity, _ found: DirectoryInventory
    ) throws -> OwnFormation {
        let disk = UInt64.random(in: 1 ... .max)
        try directory.claim(
            .init(clusterID: identity.clusterID, memberID: identity.memberID.rawValue, disk: disk))
        if found.hasTakenPartUnnamed { return OwnFormation(disk: nil, formation: .unrecorded) }
        if directory.identity?.isOfFirstFormat == true { try directory.name(disk: disk) }
        let owner = directory.identity!
        return OwnFormation(disk: DiskID(owner.disk), formation: owner.formation.map { Formation($0) })
    }

    private func startThreads(
        _ recovery: HostRecovery, _ ownFormation: OwnFormation, _ report: Reporter
    ) {
        var founding = Founding.Settings(
            process: identity.memberID, disk: ownFormation.disk ?? DiskID(0),
            members: identity.members.map(\.id), nonce: UInt64.random(in: 1 ... .max))
        founding.isNew = !identity.isJoining
        let inbox = inbox
        let hub = UnsafeTransfer(
            WatchThread(feed: feed, store: store, instruments: instruments) { inbox.send(.failed($0)) })
        let host = UnsafeTransfer(
            Host(
                options: options, identity: identity, inbox: inbox, log: logThread, network: network,
                feed: feed, store: store, keeper: keeper, board: board, instruments: instruments,
                checkpointExporter: exporter, applyThread: applyThread, member: recovery.member,
                segments: recovery.segments, directory: directory, ownFormation: ownFormation,
                founding: Founding(settings: founding, formation: ownFormation.known), report: report))
        let log = UnsafeTransfer(logThread)
        let keeper = keeper
        let applyThread = applyThread
        keeperThread = DedicatedThread(name: "synod-store") { keeper.run() }
        applyDedicated = DedicatedThread(name: "synod-apply") { applyThread.run() }
        logDedicated = DedicatedThread(name: "synod-log") { log.value.run() }
        hubThread = DedicatedThread(name: "synod-watch") { hub.value.run() }
        hostThread = DedicatedThread(name: "synod-replica") { host.value.run() }
    }

    /// Hands leadership over, when this member has it and another can take it, and returns when no member sends
    /// here any more what it wants proposed; after three seconds at the latest. Clients are served all the while
    /// and afterwards. The first half of an end that costs nobody an answer; `stop` is the second.
    public func handOver() async {
        await withCheckedContinuation { continuation in
            if !inbox.offer(.handOver(HandoverTicket { continuation.resume() })) { continuation.resume() }
        }
    }

    /// Stops in order: hands leadership over where that is quick, answers what waits with `.stopped`, makes
    /// the store durable, closes everything. Blocks until done; calling it again does nothing.
    public func stop() {
        let isFirst = isStopped.withLock { isStopped in
            defer { isStopped = true }
            return !isStopped
        }
        guard isFirst else { return }
        inbox.send(.stop)
        hostThread?.join()
        importer.stop()
        exporter.stop()
        logThread.stop()
        logDedicated?.join()
        network.close()
        feed.mailbox.send(.stop)
        hubThread?.join()
        applyThread.stop()
        applyDedicated?.join()
        keeper.stop()
        keeperThread?.join()
        try? store.store.synchronize()
        store.replace(by: nil)
        directory.close()
        try? ownLoops?.syncShutdownGracefully()
    }

    /// How the cluster was formed, once that is known.
    var formation: Formation? { network.formation.known }

    /// The addresses that peers can connect to, with the real port where 0 was asked for.
    public var peerAddresses: [SocketAddress] { network.addresses }

    // MARK: CoordinationService

    public func openPort(deliver: @escaping @Sendable ([ServiceDelivery]) -> Void) -> any ServicePort {
        let board = board
        let port = Port(
            number: lastPort.add(1, ordering: .relaxed).newValue, host: inbox, hub: feed.mailbox,
            isHostRunning: { board.isRunning }, deliver: deliver)
        inbox.send(.portOpened(port))
        return port
    }

    public func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R {
        do { return try store.read(body) } catch {
            note(failedReading: error)
            throw error
        }
    }

    public func openView() throws -> any OrderedView { try store.openView() }

    public func note(failedReading error: any Error) { inbox.note(failedReading: error) }

    public var limits: ServiceLimits {
        var limits = options.limits
        limits.electionTimeout = options.electionTimeout
        return limits
    }

    public var status: ServiceStatus {
        let state = board.current
        let size = (try? store.store.size) ?? (total: 0, inUse: 0)
        var status = ServiceStatus()
        status.clusterID = identity.clusterID
        status.memberID = identity.memberID.rawValue
        status.leaderID = state.member.leader?.rawValue ?? 0
        status.leaderContact = state.member.leaderHeard.map { MonotonicClock.now().since($0) }
        status.ballotRound = state.member.ballotRound
        status.chosenSlot = state.member.chosen.rawValue
        status.appliedSlot = state.member.applied.rawValue
        status.revision = state.member.revision
        status.compactRevision = state.member.compactRevision
        status.members = state.members
        status.storeBytes = size.total
        status.storeBytesInUse = size.inUse
        status.isLearner = state.isLearner
        status.alarms = state.member.alarms
        status.metrics =
            instruments.readings + [
                ServiceMetric(
                    name: "proposals_pending", value: .gauge(Double(state.member.pendingProposals))),
                ServiceMetric(name: "leases", value: .gauge(Double(state.member.leases))),
                ServiceMetric(name: "pending_events", value: .gauge(Double(feed.pendingEvents))),
            ]
            + network.links.map { link in
                ServiceMetric(
                    name: "peer_round_trip_seconds", labels: [("To", hex(link.peer.rawValue))],
                    value: link.roundTrips.value)
            }
        return status
    }
}

/// Carries a value to the one thread that will use it from then on.
private struct UnsafeTransfer<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
