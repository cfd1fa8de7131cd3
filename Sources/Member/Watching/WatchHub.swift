import Coordination

/// All watchers of a process, and what each of them is told.
///
///     inputs ─► step ─► deliveries
///     nextSlice(in: reader) ─► .historyRead          history, where the host has the store
///
/// A watcher is synced, and then gets the events of each applied batch; or behind, and then its history is
/// read from the store in slices, together with everybody's who is at about the same place, until it joins
/// the synced ones without gap or repetition (`Watcher.next` sees to both); or slow, and then holds nothing
/// but its place in history.
///
/// It stands beside `MemberCore` and not in it: a host may run it on a thread of its own, which hears late of what is
/// applied and reads a store that is ahead of that, or hears nothing where there is too much to tell.
public struct WatchHub: Sendable {
    public struct Settings: Sendable {
        /// Delivered and not consumed, of one watcher and of all watchers of one port.
        public var watcherLimitBytes = 2 << 20
        public var portLimitBytes = 32 << 20
        /// Of one slice of history.
        public var sliceBytes = 512 << 10
        public var sliceRevisions: Int64 = 4096

        public init() {}
    }

    /// How many there are, by what becomes of them.
    public struct Counts: Hashable, Sendable {
        public var watchers = 0
        public var synced = 0
        public var behind = 0
        public var slow = 0
        public var ports = 0

        public init() {}
    }

    /// A batch of which some watchers want to know what it replaced.
    struct HeldBatch: Sendable {
        let events: [KeyValueEvent]
        let through: Int64
        let concerned: [WatcherIndex.Handle]
        var previous: PreviousVersions
    }

    public let settings: Settings
    /// Synced watchers have had everything up to here.
    public internal(set) var revision: Int64
    /// That which the store is known to be at.
    private var head: Int64

    var table = WatcherTable()
    var synced = WatcherIndex()
    var behind = CatchUpQueue()
    private var slowCount = 0
    private var told = ToldDesk()
    var held: HeldBatch?

    public init(revision: Int64, settings: Settings = Settings()) {
        self.settings = settings
        self.revision = revision
        head = revision
    }

    public var counts: Counts {
        var counts = Counts()
        counts.watchers = table.count
        counts.synced = synced.count
        counts.behind = behind.order.count
        counts.slow = slowCount
        counts.ports = table.portCount
        return counts
    }

    /// Whether somebody waits for a slice of history.
    public var isHistoryDue: Bool { !behind.isEmpty }

    // MARK: steps

    public mutating func step(_ input: WatchInput, into outputs: inout [WatchOutput]) {
        if held != nil {
            guard case .previousRead = input else {
                preconditionFailure("\(input) before what was to be read")
            }
        }
        switch input {
        case .requested(let requests, let port, let head): onRequests(requests, port, head, &outputs)
        case .portClosed(let port): onPortClosed(port)
        case .applied(let applied): onApplied(applied, &outputs)
        case .missed(let through):
            head = max(head, through)
            if through > revision { onMissed(through: through) }
        case .previousRead(let previous): onPreviousRead(previous, &outputs)
        case .historyRead(let slice): onHistoryRead(slice, &outputs)
        }
        if held == nil { answerTold(&outputs) }
    }

    // MARK: requests

    private mutating func onRequests(
        _ requests: [WatchRequest], _ number: UInt64, _ head: Int64, _ outputs: inout [WatchOutput]
    ) {
        self.head = max(self.head, head)
        let port = table.addPort(number)
        for request in requests {
            switch request {
            case .watch(let specification, let id): onWatch(specification, id, port)
            case .cancel(let id):
                if let watcher = table.handle(of: id, atPort: port) { remove(watcher) }
            case .consumed(let bytes, let id): onConsumed(bytes, id, port)
            case .progress(let ids, let token): onProgress(ids, token, port, &outputs)
            case .toldUpTo(let revision, let ids, let token):
                let watchers = ids.compactMap { table.handle(of: $0, atPort: port) }
                told.add(.init(port: number, token: token, revision: revision, watchers: watchers))
            }
        }
    }

    private mutating func onWatch(_ specification: WatchSpecification, _ id: WatcherID, _ port: Int) {
        if let old = table.handle(of: id, atPort: port) { remove(old) }
        if synced.count == 0 { revision = max(revision, head) }
        let next = specification.startRevision > 0 ? specification.startRevision : head + 1
        let handle = table.add(Watcher(id: id, port: port, specification: specification, next: next))
        enter(next > revision ? .synced : .behind, handle)
    }

    private mutating func onConsumed(_ bytes: Int, _ id: WatcherID, _ port: Int) {
        guard let handle = table.handle(of: id, atPort: port) else { return }
        let bytes = min(bytes, table.watchers[Int(handle)]!.outstandingBytes)
        table.addOutstanding(-bytes, to: handle)
        resumeIfConsumed(handle)
        // Room at the port may be what another of its watchers waits for.
        let half = settings.portLimitBytes / 2
        if table.ports[port].outstandingBytes <= half, table.ports[port].outstandingBytes + bytes > half,
            slowCount > 0
        {
            for other in table.ports[port].names.handles { resumeIfConsumed(other) }
        }
    }

    /// A slow one reads on once half of what it may have on the way is consumed.
    private mutating func resumeIfConsumed(_ handle: WatcherIndex.Handle) {
        let watcher = table.watchers[Int(handle)]!
        guard watcher.state == .slow, watcher.outstandingBytes <= settings.watcherLimitBytes / 2,
            table.ports[watcher.port].outstandingBytes <= settings.portLimitBytes / 2
                || watcher.outstandingBytes == 0
        else { return }
        leave(handle)
        enter(watcher.next > revision ? .synced : .behind, handle)
    }

    /// Answered only when everyone asked about has had everything up to the revision that is told; a watcher
    /// that begins in the future has not.
    private func onProgress(
        _ ids: [WatcherID], _ token: UInt64, _ port: Int, _ outputs: inout [WatchOutput]
    ) {
        for id in ids {
            guard let handle = table.handle(of: id, atPort: port), let watcher = table.watchers[Int(handle)],
                watcher.state == .synced, watcher.next <= revision + 1
            else { return }
        }
        outputs.append(
            .deliver(
                .progress(token: token, revision: ids.isEmpty ? head : revision),
                port: table.ports[port].number))
    }

    private mutating func onPortClosed(_ number: UInt64) {
        guard let port = table.place(ofPort: number) else { return }
        told.forget(port: number)
        for handle in table.ports[port].names.handles { remove(handle) }
        table.removePort(at: port)
    }

    private mutating func answerTold(_ outputs: inout [WatchOutput]) {
        guard !told.isEmpty else { return }
        let waits = told.takeTold { handle, revision in
            table.watchers[Int(handle)]!.isTold(upTo: revision, current: self.revision)
        }
        for wait in waits {
            outputs.append(
                .deliver(.progress(token: wait.token, revision: wait.revision), port: wait.port))
        }
    }

    // MARK: states

    mutating func enter(_ state: Watcher.State, _ handle: WatcherIndex.Handle) {
        table.watchers[Int(handle)]!.state = state
        let specification = table.watchers[Int(handle)]!.specification
        switch state {
        case .synced: synced.add(handle, range: specification.range, of: specification.space)
        case .behind: behind.enter(handle, specification)
        case .slow: slowCount += 1
        }
    }

    mutating func leave(_ handle: WatcherIndex.Handle) {
        let specification = table.watchers[Int(handle)]!.specification
        switch table.watchers[Int(handle)]!.state {
        case .synced: synced.remove(handle, range: specification.range, of: specification.space)
        case .behind: behind.leave(handle, specification)
        case .slow: slowCount -= 1
        }
    }

    mutating func remove(_ handle: WatcherIndex.Handle) {
        leave(handle)
        told.forget(handle)
        table.remove(handle)
    }
}
