import CNghttp2

/// The server's side of one HTTP/2 connection that carries gRPC, from memory to memory.
///
/// Bytes from the client go into `receive`; calls and messages come out at the service during it. What is
/// to be sent gathers in `output` when `fillOutput` is called. There is no socket, thread or clock here:
/// the owner sets `now` before it calls, and calls `onDeadline` at `nextDeadline`. nghttp2 does the frames,
/// header compression, flow control and stream states (RFC 9113, RFC 7541).
public final class HTTP2Session {
    public let settings: GRPCSettings
    /// Nanoseconds on a clock that never goes back.
    public var now: Int64 = 0
    /// Called when there is something to send and the owner may not know: a call was answered outside of
    /// `receive`, or inside it.
    public var onWork: (() -> Void)?

    private var service: (any GRPCService)?
    private var handle: OpaquePointer?
    /// nghttp2 is on the stack and cannot be taken down.
    private var depth = 0
    private var closeWhenUnwound = false
    private var failed = false
    /// A GOAWAY that ends the connection is on its way out.
    private var endsAfterOutput = false
    private var isShuttingDown = false
    /// The GOAWAY that names the last call is on its way out.
    private var hasNamedLast = false

    private var headerBlocks: HeaderBlockFilter
    // Changed for every field of every request, by nothing that could come back to them.
    @exclusivity(unchecked) private var head = RequestHead()
    @exclusivity(unchecked) private var strings = HeaderStrings()
    private var pings: PingPolicy
    private var lastStream: HTTP2Stream?
    private unowned(unsafe) var firstOpen: HTTP2Stream?
    public private(set) var openStreams = 0

    private var gathered = ByteQueue()
    /// Bytes of answers over all calls that no frame has taken yet.
    public internal(set) var queuedBytes = 0
    var unfinishedBytes = 0
    /// Streams whose answer ended while the client may still be sending.
    var endedEarly: [HTTP2Stream] = []
    var drainedStreams: [HTTP2Stream] = []
    private var earliestDeadline = Int64.max

    /// Memory for output that an idle connection may hold on to.
    private static let keptBytes = 64 << 10
    /// The payload of the ping that separates the two GOAWAYs of a graceful end.
    private static let drainPing: [UInt8] = Array("shutdown".utf8)

    public init(settings: GRPCSettings = GRPCSettings(), service: any GRPCService) {
        self.settings = settings
        self.service = service
        pings = PingPolicy(settings)
        headerBlocks = HeaderBlockFilter(limit: settings.maxHeaderListBytes)
        handle = HTTP2Callbacks.makeSession(for: self, settings)
        submitSettings()
    }

    deinit {
        precondition(depth == 0, "a session is dropped while nghttp2 is at work in it")
        if let handle { nghttp2_session_del(handle) }
    }

    private func submitSettings() {
        var entries = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
                value: UInt32(settings.streamWindowBytes)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
                value: UInt32(settings.maxHeaderListBytes)),
        ]
        if let limit = settings.concurrentStreams {
            entries.append(
                nghttp2_settings_entry(
                    settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: limit))
        }
        nghttp2_submit_settings(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
        nghttp2_session_set_local_window_size(
            handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, settings.connectionWindowBytes)
    }

    // MARK: The owner's side

    /// Nothing more will be read or written: the owner closes the connection once `output` has left.
    public var isFinished: Bool {
        guard let handle, !failed else { return true }
        return nghttp2_session_want_read(handle) == 0 && nghttp2_session_want_write(handle) == 0
    }

    /// Takes bytes from the client.
    public func receive(_ bytes: UnsafeRawBufferPointer) {
        guard let handle, !failed, !endsAfterOutput, bytes.count > 0 else { return }
        depth += 1
        do throws(HeaderBlockFilter.Failure) {
            try headerBlocks.filter(bytes) { piece, dropped in
                guard !failed, !endsAfterOutput else { return }
                head.droppedBytes = dropped
                let taken = nghttp2_session_mem_recv(
                    handle, piece.baseAddress?.assumingMemoryBound(to: UInt8.self), piece.count)
                if taken < 0 { failed = true }
            }
        } catch {
            // What comes after a block that is not read to its end cannot be understood.
            endConnection(
                error == .tooLarge ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR,
                reason: "header block")
        }
        depth -= 1
        closeIfUnwound()
    }

    private func endConnection(_ code: nghttp2_error_code, reason: String) {
        guard let handle, !endsAfterOutput else { return }
        let reason = Array(reason.utf8)
        nghttp2_submit_goaway(
            handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(handle),
            code.rawValue, reason, reason.count)
        endsAfterOutput = true
        onWork?()
    }

    /// Every byte that was at hand has been received.
    public func receiveComplete() { service?.readComplete() }

    /// Moves frames into `output` until it holds `limit` bytes or more, or there are none.
    public func fillOutput(limit: Int) {
        guard let handle, !failed else { return }
        depth += 1
        while gathered.count < limit {
            var frame: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(handle, &frame)
            if count > 0 {
                gathered.append(frame, count)
            } else if count < 0 {
                failed = true
                break
            } else if !resetEarlyEnds() {
                if endsAfterOutput { failed = true }
                break
            }
        }
        depth -= 1
        closeIfUnwound()
    }

    /// What is ready for the client; valid until the session is used again.
    public var output: UnsafeRawBufferPointer { gathered.bytes }

    public func clearOutput() { gathered.removeAll(keepingCapacity: Self.keptBytes) }

    /// Tells the calls whose queues have emptied; they may queue more.
    public func notifyDrained() {
        while let stream = drainedStreams.popLast() { stream.onDrained() }
    }

    /// When `onDeadline` is due, on the clock of `now`; `Int64.max` when no call has a deadline.
    public var nextDeadline: Int64 { earliestDeadline }

    /// Ends the calls whose deadlines have passed.
    public func onDeadline() {
        earliestDeadline = .max
        var due: [HTTP2Stream] = []
        var stream = firstOpen
        while let current = stream {
            if current.deadline <= now {
                if !current.isLate { due.append(current) }
            } else {
                earliestDeadline = min(earliestDeadline, current.deadline)
            }
            stream = current.next
        }
        for stream in due { stream.onDeadline() }
    }

    /// Asks the client to show that it is there.
    public func sendPing() {
        guard let handle else { return }
        nghttp2_submit_ping(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
        onWork?()
    }

    /// Takes no new calls and ends when the open ones have. The client is first told that it is going to
    /// be so, and given the time of one ping, so that calls already on their way are still served.
    public func shutDown() {
        guard let handle, !isShuttingDown else { return }
        isShuttingDown = true
        nghttp2_submit_shutdown_notice(handle)
        _ = Self.drainPing.withUnsafeBufferPointer {
            nghttp2_submit_ping(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), $0.baseAddress)
        }
        onWork?()
    }

    /// After `shutDown`: what was opened until now is the last, whether or not the ping was answered.
    public func finishShutDown() {
        guard let handle, isShuttingDown, !hasNamedLast else { return }
        hasNamedLast = true
        nghttp2_submit_goaway(
            handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(handle),
            NGHTTP2_NO_ERROR.rawValue, nil, 0)
        onWork?()
    }

    /// The connection is gone: cancels every call and frees everything.
    public func close() {
        guard depth == 0 else {
            closeWhenUnwound = true
            failed = true
            return
        }
        guard let handle else { return }
        self.handle = nil
        while let stream = firstOpen {
            remove(stream)
            stream.onClosed()
            Unmanaged.passUnretained(stream).release()
        }
        nghttp2_session_del(handle)
        lastStream = nil
        endedEarly = []
        drainedStreams = []
        gathered.release()
        onWork = nil
        let service = service
        self.service = nil
        service?.closed()
    }

    private func closeIfUnwound() {
        if closeWhenUnwound, depth == 0 { close() }
    }

    // MARK: The streams' side

    func submitResponse(_ stream: HTTP2Stream) {
        var source = nghttp2_data_provider()
        source.source.ptr = Unmanaged.passUnretained(stream).toOpaque()
        source.read_callback = HTTP2Callbacks.read
        nghttp2_submit_response(
            handle, stream.id, ResponseFields.start, ResponseFields.startCount, &source)
        onSending()
    }

    func resume(_ id: Int32) {
        nghttp2_session_resume_data(handle, id)
        onSending()
    }

    func submitTrailers(_ id: Int32, _ status: GRPCStatus) {
        if status.code == .ok, status.message.isEmpty {
            nghttp2_submit_trailer(handle, id, ResponseFields.ok, 1)
        } else {
            ResponseFields.withTrailers(status) { nghttp2_submit_trailer(handle, id, $0, $1) }
        }
    }

    func submitTrailersOnly(_ id: Int32, http: StaticString, _ status: GRPCStatus) {
        ResponseFields.withTrailersOnly(http: http, status) {
            nghttp2_submit_response(handle, id, $0, $1, nil)
        }
        onSending()
    }

    func submitReset(_ id: Int32, _ code: UInt32) {
        nghttp2_submit_rst_stream(handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code)
        onWork?()
    }

    private func onSending() {
        pings.onSent()
        onWork?()
    }

    /// A client that still sends to a call which has been answered is told to stop, once the answer has
    /// left.
    private func resetEarlyEnds() -> Bool {
        guard !endedEarly.isEmpty else { return false }
        var any = false
        for stream in endedEarly where stream.session != nil && !stream.remoteClosed {
            nghttp2_submit_rst_stream(
                handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, NGHTTP2_NO_ERROR.rawValue)
            any = true
        }
        endedEarly.removeAll(keepingCapacity: true)
        return any
    }

    // MARK: nghttp2's side

    func onBeginHeaders() { head.reset() }

    func onField(name: OpaquePointer, value: OpaquePointer) {
        head.onField(name: name, value: value, limit: settings.maxHeaderListBytes, strings: &strings)
    }

    /// The request's header block is complete.
    func onRequest(_ id: Int32, endsStream: Bool) {
        guard let handle else { return }
        if queuedBytes > settings.maxQueuedBytes {
            nghttp2_submit_rst_stream(
                handle, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, NGHTTP2_REFUSED_STREAM.rawValue)
            return
        }
        head.onEnd(limit: settings.maxHeaderListBytes)
        var deadline = Int64.max
        if let timeout = head.timeout, timeout < .max - now {
            deadline = now + timeout
            earliestDeadline = min(earliestDeadline, deadline)
        }
        let stream = HTTP2Stream(id: id, session: self, deadline: deadline)
        insert(stream)
        nghttp2_session_set_stream_user_data(handle, id, Unmanaged.passRetained(stream).toOpaque())
        lastStream = stream
        if let refusal = head.refusal {
            stream.refuse(http: refusal.http, refusal.status)
        } else {
            open(stream, path: head.path ?? "")
        }
        if endsStream { stream.onRemoteClosed() }
    }

    private func open(_ stream: HTTP2Stream, path: String) {
        guard let service else { return }
        if let receiver = service.open(stream, path: path, metadata: head.metadata) {
            stream.attach(receiver)
            return
        }
        guard !stream.hasEnded else { return }
        guard path.utf8.first == UInt8(ascii: "/"),
            let slash = path.utf8.dropFirst().lastIndex(of: UInt8(ascii: "/"))
        else {
            stream.finish(.malformedPath(path))
            return
        }
        let name = String(path[path.utf8.index(after: path.startIndex)..<slash])
        let method = String(path[path.utf8.index(after: slash)...])
        stream.finish(
            service.hasService(name) ? .unknownMethod(method, service: name) : .unknownService(name))
    }

    func onData(_ id: Int32, _ bytes: UnsafeRawBufferPointer) { stream(id)?.onData(bytes) }

    func onRemoteClosed(_ id: Int32) { stream(id)?.onRemoteClosed() }

    func onPing(isAnswer: Bool, payload: UnsafeRawBufferPointer) {
        if isAnswer {
            if payload.elementsEqual(Self.drainPing) { finishShutDown() }
        } else if !endsAfterOutput, pings.onPing(now: now, hasCalls: openStreams > 0) {
            endConnection(NGHTTP2_ENHANCE_YOUR_CALM, reason: "too_many_pings")
        }
    }

    func onWrite(_ stream: HTTP2Stream, header: UnsafePointer<UInt8>, count: Int) {
        pings.onSent()
        gathered.append(header, 9)
        stream.onWrite(count, into: &gathered)
    }

    func onStreamClosed(_ id: Int32) {
        guard let handle, let pointer = nghttp2_session_get_stream_user_data(handle, id) else { return }
        let stream = Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeRetainedValue()
        if lastStream === stream { lastStream = nil }
        remove(stream)
        stream.onClosed()
    }

    /// Frames of one request tend to follow each other, so the last stream is remembered.
    private func stream(_ id: Int32) -> HTTP2Stream? {
        if let lastStream, lastStream.id == id { return lastStream }
        guard let handle, let pointer = nghttp2_session_get_stream_user_data(handle, id) else { return nil }
        let stream = Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
        lastStream = stream
        return stream
    }

    private func insert(_ stream: HTTP2Stream) {
        stream.next = firstOpen
        firstOpen?.previous = stream
        firstOpen = stream
        openStreams += 1
    }

    private func remove(_ stream: HTTP2Stream) {
        if let previous = stream.previous { previous.next = stream.next } else { firstOpen = stream.next }
        stream.next?.previous = stream.previous
        stream.next = nil
        stream.previous = nil
        openStreams -= 1
    }
}
