import Coordination
import GRPC
import NIOCore

/// One event loop's part of the etcd server: its door to the service, the calls that wait for an answer, and
/// the watchers.
///
/// Connections of the same event loop share it, so that what they ask in one turn goes to the service in one
/// batch, and what comes back in one batch is read in one view of the store. Used on its event loop only.
final class EtcdEndpoint: @unchecked Sendable {
    let server: EtcdServer
    let eventLoop: any EventLoop
    let service: any CoordinationService
    let limits: ServiceLimits
    let counters = CallCounters()

    /// Used for one message at a time.
    var writer = ProtobufWriter()
    /// As the service was when the last batch began.
    private(set) var status: ServiceStatus
    private(set) var header: ResponseHeader
    private(set) var watchers = WatcherTable()
    /// Open calls that are not unary.
    private var streams: [ObjectIdentifier: EtcdCall] = [:]
    /// Streams to be ended when no leader is known any more.
    private var leaderRequired: [ObjectIdentifier: EtcdCall] = [:]

    // Set once, right after the endpoint exists for the port to deliver to.
    private var port: (any ServicePort)!
    private var waiting = Slab<(call: any ServiceCaller, tag: Int)>()
    private var reads: [UnaryCall] = []
    private var readsWaitForTurn = false
    private var hasUnflushed = false
    private var isClosed = false
    /// Calls that end by themselves, once the service has answered.
    private var callsToAnswer = 0
    private var draining = Draining.no

    /// How far this endpoint is with the end of the server: first what can be answered is, then watchers are told of
    /// everything that was applied by then, then streams end.
    private enum Draining { case no, answering, telling, ended }

    init(server: EtcdServer, eventLoop: any EventLoop) {
        self.server = server
        self.eventLoop = eventLoop
        service = server.service
        limits = server.service.limits
        status = server.service.status
        header = ResponseHeader(status)
        port = service.openPort { [weak self] deliveries in
            guard let self else { return }
            eventLoop.execute { self.onDeliveries(deliveries) }
        }
    }

    /// Ends the calls that would not end by themselves, as streams, and those that wait for the service.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        for stream in Array(streams.values) { stream.fail(.stopped) }
        for (caller, _) in waiting.values { caller.fail(.stopped) }
        port.close()
    }

    // MARK: Draining

    /// Streams end when nothing is left to be answered. Calls that come later are served all the same.
    func drain() {
        guard draining == .no, !isClosed else { return }
        draining = .answering
        proceedDraining()
    }

    func callBegan() { callsToAnswer += 1 }

    func callEnded() {
        callsToAnswer -= 1
        proceedDraining()
    }

    private func proceedDraining() {
        guard draining == .answering, callsToAnswer == 0, !isClosed else { return }
        draining = .telling
        // What the service says of no watcher in particular comes after what it has to say to each.
        port.requestProgress(of: [], token: ProgressToken.told.rawValue)
        hasUnflushed = true
        eventLoop.execute { self.flush() }
    }

    private func onTold() {
        guard draining == .telling else { return }
        draining = .ended
        for stream in Array(streams.values) { stream.onDrain() }
    }

    /// Whether a stream that begins now would only be ended.
    var hasEndedStreams: Bool { draining == .ended }

    // MARK: Towards the service

    func submit(_ command: some SpaceCommand, for call: any ServiceCaller) {
        submit(.command(command.command), for: call)
    }

    func submit(_ request: ServiceRequest, for call: any ServiceCaller, tag: Int = 0) {
        guard !isClosed else { return call.fail(.stopped) }
        port.submit(request, token: waiting.insert((call, tag)))
        hasUnflushed = true
    }

    /// Queues a call for the next local read.
    func addRead(_ call: UnaryCall) { reads.append(call) }

    /// Reads and asks for what was queued in this turn.
    func flush() {
        performReads()
        if hasUnflushed, !isClosed {
            hasUnflushed = false
            port.flush()
        }
    }

    /// A look at the service that is not older than the call.
    @discardableResult
    func refreshStatus() -> ServiceStatus {
        status = service.status
        header = ResponseHeader(status)
        return status
    }

    /// What a read may cost on the event loop, and all reads of a turn together before others have theirs.
    private static var unitsPerRead: Int { 256 }
    private static var unitsPerTurn: Int { 2048 }

    private func performReads() {
        guard !reads.isEmpty, !readsWaitForTurn else { return }
        refreshStatus()
        // Reading may queue further reads; they get a view of their own.
        var batch = reads[...]
        reads.removeAll(keepingCapacity: true)
        var spent = 0
        do {
            try service.read { reader in
                let allowance = WorkAllowance(units: Self.unitsPerRead)
                while spent < Self.unitsPerTurn, let call = batch.popFirst() {
                    allowance.renew(units: Self.unitsPerRead)
                    call.onView(KeyValueReader(reader, within: allowance))
                    spent += Self.unitsPerRead - max(0, allowance.units)
                }
            }
        } catch {
            for call in batch { call.fail(EtcdFault(reading: error)) }
            batch = []
        }
        guard batch.isEmpty else { return continueAfterOthers(batch) }
        if !reads.isEmpty { performReads() }
    }

    /// The rest of a turn's reads comes first in the next one. A task that is due at once would run before
    /// other sockets are looked at.
    private func continueAfterOthers(_ rest: ArraySlice<UnaryCall>) {
        reads = rest + reads
        readsWaitForTurn = true
        eventLoop.assumeIsolated().scheduleTask(in: .microseconds(10)) { [self] in
            readsWaitForTurn = false
            flush()
        }
    }

    // MARK: From the service

    private func onDeliveries(_ deliveries: [ServiceDelivery]) {
        guard !isClosed else { return }
        refreshStatus()
        var encodings = EventEncodings()
        for delivery in deliveries {
            switch delivery {
            case .answer(let token, let answer): onAnswer(token, answer)
            case .events(let watcher, let batch):
                watchers[watcher]?.onEvents(batch, encodings[batch.events])
            case .watchCompacted(let watcher, let revision):
                watchers[watcher]?.onCompacted(revision)
            case .progress(let token, let revision): onProgress(ProgressToken(token), revision)
            case .leaderLost:
                for call in Array(leaderRequired.values) { call.fail(.noLeader) }
            }
        }
        flush()
        writer.trim(to: 1 << 20)
    }

    private func onAnswer(_ token: UInt64, _ answer: Result<ServiceAnswer, ServiceError>) {
        guard let (call, tag) = waiting.remove(token) else {
            preconditionFailure("the service answered token \(token), which nobody waits for")
        }
        // Cancelled meanwhile.
        guard !call.isOver else { return }
        do { try call.onAnswer(answer, tag: tag) } catch { call.fail(error) }
    }

    private func onProgress(_ token: ProgressToken, _ revision: Int64) {
        switch token {
        case .watcher(let watcher): watchers[watcher]?.onProgress(revision)
        case .stream(let stream): watchers.stream(stream)?.onProgress(revision)
        case .told: onTold()
        }
    }

    // MARK: Streams

    func addStream(_ stream: EtcdCall, requiresLeader: Bool) {
        streams[ObjectIdentifier(stream)] = stream
        if requiresLeader { leaderRequired[ObjectIdentifier(stream)] = stream }
    }

    func removeStream(_ stream: EtcdCall) {
        streams[ObjectIdentifier(stream)] = nil
        if !leaderRequired.isEmpty { leaderRequired[ObjectIdentifier(stream)] = nil }
    }

    // MARK: Watchers

    /// Gives the stream a number under which it can be told of progress.
    func number(_ stream: WatchStream) -> UInt64 { watchers.addStream(stream) }
    func releaseNumber(_ number: UInt64) { watchers.removeStream(number) }

    func watch(_ specification: WatchSpecification, _ watcher: Watcher) -> WatcherID {
        let id = watchers.add(watcher)
        counters.watcherOpened()
        port.watch(specification, watcher: id)
        hasUnflushed = true
        return id
    }

    func cancelWatch(_ watcher: WatcherID) {
        guard watchers.remove(watcher) else { return }
        counters.watcherClosed()
        guard !isClosed else { return }
        port.cancelWatch(watcher)
        hasUnflushed = true
    }

    /// The service has ended the watcher itself.
    func forgetWatch(_ watcher: WatcherID) {
        if watchers.remove(watcher) { counters.watcherClosed() }
    }

    func consumed(bytes: Int, _ watcher: WatcherID) {
        guard bytes > 0, !isClosed else { return }
        port.consumed(bytes: bytes, watcher: watcher)
        hasUnflushed = true
    }

    func requestProgress(of watchers: [WatcherID], _ token: ProgressToken) {
        guard !isClosed else { return }
        port.requestProgress(of: watchers, token: token.rawValue)
        hasUnflushed = true
    }

    /// Passes on what a timer or a stream asked for outside of a read from a socket.
    func flushAfterTurn() {
        guard hasUnflushed else { return }
        flush()
    }

    // MARK: Learners

    /// A learner answers what it can know by itself.
    func checkLearner(_ method: EtcdMethod) throws(EtcdFault) {
        guard status.isLearner else { return }
        switch method {
        case .range, .status, .snapshot, .healthCheck, .healthWatch: return
        default: throw .unsupportedForLearner
        }
    }

    func refuseLearner() throws(EtcdFault) {
        guard !status.isLearner else { throw .unsupportedForLearner }
    }
}

/// Whom an answer about progress is for. Both numbers leave the two top bits free.
enum ProgressToken: Hashable {
    case watcher(WatcherID)
    case stream(UInt64)
    /// Everything that there was to tell has been told.
    case told

    private static var streamMark: UInt64 { 1 << 63 }

    init(_ token: UInt64) {
        self =
            token == .max
            ? .told
            : token & Self.streamMark == 0
                ? .watcher(WatcherID(token)) : .stream(token & ~Self.streamMark)
    }

    var rawValue: UInt64 {
        switch self {
        case .watcher(let watcher): watcher.rawValue
        case .stream(let stream): stream | Self.streamMark
        case .told: .max
        }
    }
}
