import Coordination
import NIOCore

/// A call of Watch: any number of watches that come and go on one stream.
///
/// What a client may rely on: of each watch, `created` comes first; events come in the order of their
/// revisions, each once, none is missing, and those of one revision together unless the client allows
/// fragments; a progress response says that everything up to its revision has been sent.
final class WatchStream: EtcdCall {
    /// By watch id. A watch whose history was compacted stays until the client cancels it.
    private var watches: [Int64: Watcher] = [:]
    private var nextWatchID: Int64 = 0
    private var number: UInt64?
    private var progressTimer: Scheduled<Void>?
    private var owesBytes = false

    /// Past this many bytes that the client has not taken, its watches are told no more until it has.
    private static var queueBound: Int { 1 << 20 }

    override func onMessage(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        switch try WatchRequest(message) {
        case .create(let creation): try onCreate(creation)
        case .cancel(let watchID): try onCancel(watchID)
        case .progress: try onProgressRequest()
        case .unknown: break
        }
    }

    // A client that has nothing more to say still hears of its watches.
    override func halfClosed() {}

    override func onEnd() {
        progressTimer?.cancel()
        progressTimer = nil
        if let number { endpoint.releaseNumber(number) }
        number = nil
        for watcher in watches.values {
            if let id = watcher.id { endpoint.cancelWatch(id) }
        }
        watches = [:]
        endpoint.eventLoop.execute { [endpoint] in endpoint.flushAfterTurn() }
    }

    // MARK: Requests

    private func onCreate(_ creation: WatchCreation) throws(EtcdFault) {
        let status = endpoint.refreshStatus()
        let header = endpoint.header
        if let refusal = refusal(of: creation) {
            try send { writer throws(EtcdFault) in
                writer.watchRefused(header, revision: status.revision, reason: refusal)
            }
            return
        }
        let watchID = pickID(creation)
        // "From now on" is made a revision here, so that nothing is missed between this response and the
        // moment at which the service knows the watcher.
        let start = creation.startRevision == 0 ? status.revision + 1 : creation.startRevision
        let watcher = Watcher(stream: self, watchID: watchID, creation: creation, startRevision: start)
        watches[watchID] = watcher
        try send { writer throws(EtcdFault) in
            writer.watchCreated(header, revision: status.revision, watchID: watchID)
        }
        // The response may have found the client gone, and then the call is over and nobody would cancel.
        guard !isOver else { return }
        // There never was a negative revision: it is gone like what is compacted.
        if start < 0, start < status.compactRevision { return onCompacted(status.compactRevision, watcher) }
        var specification = WatchSpecification(range: creation.range, startRevision: max(1, start))
        specification.withoutPuts = creation.withoutPuts
        specification.withoutDeletes = creation.withoutDeletes
        specification.previousKeyValue = creation.previousKeyValue
        watcher.id = endpoint.watch(specification, watcher)
        if creation.progressNotify { startProgressTimer() }
    }

    private func refusal(of creation: WatchCreation) -> String? {
        if creation.isEmpty { return WatchRefusal.emptyRange }
        if creation.watchID != 0, watches[creation.watchID] != nil { return WatchRefusal.duplicateID }
        return nil
    }

    private func pickID(_ creation: WatchCreation) -> Int64 {
        guard creation.watchID == 0 else { return creation.watchID }
        while watches[nextWatchID] != nil { nextWatchID += 1 }
        nextWatchID += 1
        return nextWatchID - 1
    }

    private func onCancel(_ watchID: Int64) throws(EtcdFault) {
        // etcd says nothing about a watch that it does not know.
        guard let watcher = watches.removeValue(forKey: watchID) else { return }
        if let id = watcher.id { endpoint.cancelWatch(id) }
        let revision = endpoint.refreshStatus().revision
        let header = endpoint.header
        try send { writer throws(EtcdFault) in
            writer.watchCanceled(header, revision: revision, watchID: watchID)
        }
    }

    private func onProgressRequest() throws(EtcdFault) {
        let live = watches.values.compactMap(\.id)
        guard !live.isEmpty else {
            return sendProgress(endpoint.refreshStatus().revision, watchID: -1)
        }
        if number == nil { number = endpoint.number(self) }
        endpoint.requestProgress(of: live, .stream(number!))
    }

    // MARK: From the service

    func onEvents(_ batch: WatchBatch, _ encoded: EncodedEvents, _ watcher: Watcher) {
        guard let transport, let id = watcher.id else { return }
        if !batch.events.isEmpty {
            watcher.isQuiet = false
            sendEvents(batch, encoded, watcher)
        }
        guard transport.queuedBytes > Self.queueBound else {
            return endpoint.consumed(bytes: batch.bytes, id)
        }
        watcher.owedBytes += batch.bytes
        owesBytes = true
    }

    /// Room in a response for what is not an event.
    private static var fieldBytes: Int { 64 }

    private func sendEvents(_ batch: WatchBatch, _ encoded: EncodedEvents, _ watcher: Watcher) {
        let header = endpoint.header
        let limit = endpoint.limits.requestBytes
        let pieces =
            watcher.fragment && encoded.bytes.count + Self.fieldBytes >= limit
            ? encoded.fragments(limit: limit, overhead: Self.fieldBytes) : [0..<encoded.bytes.count]
        for (index, piece) in pieces.enumerated() {
            write { writer in
                writer.watchEvents(
                    header, revision: batch.revision, watchID: watcher.watchID,
                    events: encoded.bytes[piece], fragment: index < pieces.count - 1)
            }
        }
    }

    func onCompacted(_ revision: Int64, _ watcher: Watcher) {
        if let id = watcher.id { endpoint.forgetWatch(id) }
        watcher.id = nil
        let header = endpoint.header
        write { $0.watchCompacted(header, watchID: watcher.watchID, compactRevision: revision) }
    }

    func onProgress(_ revision: Int64) {
        // A response to all watches would tell one that starts later about a time that it has no part in.
        guard watches.values.allSatisfy({ $0.hasReached(revision) }) else { return }
        sendProgress(revision, watchID: -1)
    }

    func sendProgress(_ revision: Int64, watchID: Int64) {
        let header = endpoint.header
        write { $0.watchProgress(header, revision: revision, watchID: watchID) }
    }

    override func drained() {
        guard owesBytes else { return }
        owesBytes = false
        for watcher in watches.values where watcher.owedBytes > 0 {
            if let id = watcher.id { endpoint.consumed(bytes: watcher.owedBytes, id) }
            watcher.owedBytes = 0
        }
        endpoint.flushAfterTurn()
    }

    private func write(_ body: (inout ProtobufWriter) -> Void) {
        do {
            try send { writer throws(EtcdFault) in body(&writer) }
        } catch { fail(error) }
    }

    // MARK: Progress notifications

    private func startProgressTimer() {
        guard progressTimer == nil, !isOver else { return }
        let interval = endpoint.limits.watchProgressInterval.nanoseconds
        // Streams that began together are not to be told together.
        let delay = Int64(interval + UInt64.random(in: 0...interval / 10))
        let stream = NIOLoopBound(self, eventLoop: endpoint.eventLoop)
        progressTimer = endpoint.eventLoop.scheduleTask(in: .nanoseconds(delay)) {
            stream.value.onProgressTimer()
        }
    }

    private func onProgressTimer() {
        progressTimer = nil
        var isWanted = false
        for watcher in watches.values where watcher.progressNotify {
            guard let id = watcher.id else { continue }
            isWanted = true
            if watcher.isQuiet { endpoint.requestProgress(of: [id], .watcher(id)) }
            watcher.isQuiet = true
        }
        if isWanted { startProgressTimer() }
        endpoint.flushAfterTurn()
    }
}
