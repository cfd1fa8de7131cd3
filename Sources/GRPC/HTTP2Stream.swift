import CNghttp2

/// One call: an HTTP/2 stream that carries messages in both directions.
final class HTTP2Stream: GRPCCall {
    let id: Int32
    /// Nil once the stream is closed.
    private(set) var session: HTTP2Session?
    /// Nil once the call has ended, for whatever reason.
    private var receiver: (any GRPCReceiver)?
    private var reader = MessageReader()
    private var queue = AnswerQueue()
    /// Bytes of the message that `begin` announced and `append` has not brought.
    private var announced = 0
    /// Set when the call is finished; goes out as trailers after the queue.
    private var status: GRPCStatus?
    /// On the session's clock; `Int64.max` without one.
    let deadline: Int64

    /// The response's HEADERS and its data source are with nghttp2.
    private var started = false
    /// nghttp2 found nothing to read and waits to be told.
    private var deferred = false
    /// More than the low-water mark was queued, and nobody has been told since.
    private var isAboveLowWater = false
    private(set) var remoteClosed = false
    /// The deadline has passed and the client has been told.
    private(set) var isLate = false

    /// Memory for answers that an open stream may hold on to while it has none to send.
    private static let keptBytes = 4096

    // The session's list of open streams.
    unowned(unsafe) var next: HTTP2Stream?
    unowned(unsafe) var previous: HTTP2Stream?

    init(id: Int32, session: HTTP2Session, deadline: Int64) {
        self.id = id
        self.session = session
        self.deadline = deadline
    }

    var hasEnded: Bool { status != nil || session == nil }

    func attach(_ receiver: any GRPCReceiver) {
        if !hasEnded { self.receiver = receiver }
    }

    // MARK: What the client sends

    func onData(_ bytes: UnsafeRawBufferPointer) {
        guard receiver != nil, let session else { return }
        let before = reader.unfinishedBytes
        var chunk = bytes
        reading: while let receiver {
            switch reader.next(&chunk, limit: session.settings.maxMessageBytes) {
            case .message(let message):
                receiver.received(message)
            case .needsMore:
                break reading
            case .failed(let status):
                fail(status)
            }
        }
        session.unfinishedBytes += reader.unfinishedBytes - before
        if receiver == nil {
            dropUnfinished(session)
        } else if session.unfinishedBytes > session.settings.maxUnfinishedBytes {
            fail(.tooManyUnfinishedBytes)
            dropUnfinished(session)
        }
    }

    func onRemoteClosed() {
        guard !remoteClosed else { return }
        remoteClosed = true
        guard let receiver else { return }
        if reader.unfinishedBytes > 0 { fail(.truncatedMessage) } else { receiver.halfClosed() }
    }

    private func dropUnfinished(_ session: HTTP2Session) {
        session.unfinishedBytes -= reader.unfinishedBytes
        reader.release()
    }

    /// The transport ends the call: the client is told why, the service that it is over.
    func fail(_ status: GRPCStatus) {
        let receiver = receiver
        finish(status)
        receiver?.cancelled()
    }

    /// Nobody waits for the answer any more. One that is stuck behind the client's flow control would hold
    /// its memory for as long as the client likes, so it is dropped.
    func onDeadline() {
        isLate = true
        if !queue.isEmpty {
            session?.submitReset(id, NGHTTP2_CANCEL.rawValue)
        } else {
            fail(.deadlineExceeded)
        }
    }

    /// The stream is gone, by its regular end or otherwise.
    func onClosed() {
        guard let session else { return }
        self.session = nil
        session.queuedBytes -= queue.count
        queue.release()
        dropUnfinished(session)
        let receiver = receiver
        self.receiver = nil
        receiver?.cancelled()
    }

    // MARK: What the service sends

    func send(_ message: UnsafeRawBufferPointer) {
        send(byteCount: message.count) { $0.copyMemory(from: message) }
    }

    func send(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        guard let session, status == nil else { return }
        precondition(announced == 0, "a message within a message")
        queue.append(byteCount: byteCount + 5) { memory in
            Self.storePrefix(byteCount, in: memory)
            fill(UnsafeMutableRawBufferPointer(rebasing: memory[5...]))
        }
        onQueued(byteCount + 5, session)
    }

    func begin(byteCount: Int) {
        guard let session, status == nil else { return }
        precondition(announced == 0, "a message within a message")
        announced = byteCount
        queue.append(byteCount: 5) { Self.storePrefix(byteCount, in: $0) }
        onQueued(5, session)
    }

    func append(_ piece: [UInt8]) {
        guard let session, status == nil else { return }
        precondition(piece.count <= announced, "more than the message was to have")
        announced -= piece.count
        queue.append(piece)
        onQueued(piece.count, session)
    }

    var connection: ObjectIdentifier { session.map { ObjectIdentifier($0) } ?? ObjectIdentifier(self) }

    private static func storePrefix(_ byteCount: Int, in memory: UnsafeMutableRawBufferPointer) {
        memory.storeBytes(of: 0, as: UInt8.self)
        memory.storeBytes(of: UInt32(byteCount).bigEndian, toByteOffset: 1, as: UInt32.self)
    }

    private func onQueued(_ count: Int, _ session: HTTP2Session) {
        session.queuedBytes += count
        if queue.count > session.settings.lowWaterBytes { isAboveLowWater = true }
        wakeSource(session)
    }

    func finish(_ status: GRPCStatus) {
        guard let session, self.status == nil else { return }
        self.status = status
        receiver = nil
        if started {
            wakeSource(session)
        } else {
            session.submitTrailersOnly(id, http: "200", status)
            noteEarlyEnd(session)
        }
    }

    /// Ends a request that never became a call.
    func refuse(http: StaticString, _ status: GRPCStatus) {
        guard let session, self.status == nil else { return }
        self.status = status
        session.submitTrailersOnly(id, http: http, status)
        noteEarlyEnd(session)
    }

    var queuedBytes: Int { queue.count }

    var timeoutNanoseconds: Int64? {
        guard deadline != .max, let session else { return nil }
        return max(0, deadline - session.now)
    }

    private func wakeSource(_ session: HTTP2Session) {
        if !started {
            started = true
            session.submitResponse(self)
        } else if deferred {
            deferred = false
            session.resume(id)
        }
    }

    private func noteEarlyEnd(_ session: HTTP2Session) {
        if !remoteClosed { session.endedEarly.append(self) }
    }

    // MARK: What nghttp2 takes

    /// How many bytes of the queue go into the next DATA frame, or an nghttp2 error.
    func onRead(_ limit: Int, _ flags: inout UInt32) -> Int {
        guard let session else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
        let count = min(queue.count, limit)
        flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if let status {
            if count == queue.count {
                flags |= NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                session.submitTrailers(id, status)
                noteEarlyEnd(session)
            }
        } else if count == 0 {
            deferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        return count
    }

    /// The DATA frame announced by `onRead` is written.
    func onWrite(_ count: Int, into output: inout ByteQueue) {
        queue.move(count, to: &output)
        queue.trim(keepingCapacity: Self.keptBytes)
        guard let session else { return }
        session.queuedBytes -= count
        if isAboveLowWater, queue.count <= session.settings.lowWaterBytes {
            isAboveLowWater = false
            if receiver != nil { session.drainedStreams.append(self) }
        }
    }

    func onDrained() { receiver?.drained() }
}
