import GRPC
import NIOCore

/// A call that came as JSON over HTTP: to its receiver it looks like one over gRPC.
final class GatewayCall: GRPCCall {
    /// As the gRPC side has it.
    static let lowWaterBytes = 65_536

    private let method: MethodDescription
    /// Nil when the connection is gone, which a receiver may learn later than this call.
    private weak var handler: GatewayHandler?
    /// Nil when the call is over.
    var receiver: (any GRPCReceiver)?
    private var values = JSONValueSplitter()
    private var hasRequest = false
    /// The response of a unary call, until its status is known.
    private var response: [UInt8]?
    /// A response that comes in pieces, and whose JSON another thread makes.
    private var large: LargeResponse?
    private var streamHasBegun = false
    private var isOver = false
    private var deadline: (at: NIODeadline, timer: Scheduled<Void>)?

    init(method: MethodDescription, handler: GatewayHandler) {
        self.method = method
        self.handler = handler
    }

    var isStream: Bool { method.kind != .unary }

    /// False when the call is over before it has begun, which the client has then been told.
    func begin(_ timeout: GatewayTimeout, text: String, on eventLoop: any EventLoop) -> Bool {
        switch timeout {
        case .unlimited: return true
        case .malformed:
            finish(GRPCStatus(.invalidArgument, "invalid grpc-timeout: \(text)"), asUnary: true)
            return false
        case .over:
            finish(Self.late, asUnary: true)
            return false
        case .nanoseconds(let span):
            let at = NIODeadline.now() + .nanoseconds(span)
            let timer = eventLoop.assumeIsolated().scheduleTask(deadline: at) { [weak self] in
                if let self { fail(Self.late) }
            }
            deadline = (at, timer)
            return true
        }
    }

    private static let late = GRPCStatus(.deadlineExceeded, "context deadline exceeded")

    // MARK: Request

    func onBody(_ bytes: ByteBuffer, limit: Int) {
        guard !isOver else { return }
        var complete: [[UInt8]] = []
        values.take(bytes.readableBytesView, into: &complete)
        for json in complete { take(json) }
        if values.pendingBytes > limit {
            fail(GRPCStatus(.resourceExhausted, "grpc: received message larger than max"))
        }
    }

    func onBodyEnd() {
        if let json = values.takeEnd() { take(json) }
        guard !isOver else { return }
        if values.isInValue { return failUnread(GRPCStatus(.invalidArgument, "unexpected EOF")) }
        // No body stands for a message without fields, but not on a stream of the client's, which is empty.
        if !hasRequest, method.kind != .bidirectionalStream { take([]) }
        receiver?.halfClosed()
    }

    private func take(_ json: [UInt8]) {
        guard !isOver, let receiver, let handler else { return }
        // What follows the request of a call that has one is ignored.
        guard !hasRequest || method.kind == .bidirectionalStream else { return }
        hasRequest = true
        do {
            let message = try method.transcoder.request(json)
            let limit = handler.maxMessageBytes
            guard message.count <= limit else {
                return fail(
                    GRPCStatus(
                        .resourceExhausted,
                        "grpc: received message larger than max (\(message.count) vs. \(limit))"))
            }
            message.withUnsafeBytes { receiver.received($0) }
        } catch {
            failUnread(GRPCStatus(.invalidArgument, (error as? EtcdFault)?.message ?? "\(error)"))
        }
    }

    /// The request is not a message. On a stream of the client's the gateway calls that an unknown error, and
    /// tells it as it does those of unary calls.
    private func failUnread(_ status: GRPCStatus) {
        guard method.kind == .bidirectionalStream, !streamHasBegun else { return fail(status) }
        fail(GRPCStatus(.unknown, status.message), asUnary: true)
    }

    /// The request was wrong: the receiver is to forget the call.
    private func fail(_ status: GRPCStatus, asUnary: Bool = false) {
        guard !isOver else { return }
        let receiver = receiver
        finish(status, asUnary: asUnary || method.kind == .unary)
        receiver?.cancelled()
    }

    /// The client is gone.
    func abandon() {
        guard !isOver else { return }
        isOver = true
        deadline?.timer.cancel()
        let receiver = receiver
        self.receiver = nil
        receiver?.cancelled()
    }

    func drained() { receiver?.drained() }

    // MARK: Response

    func send(_ message: UnsafeRawBufferPointer) {
        guard !isOver else { return }
        guard let json = method.transcoder.response(message) else {
            return fail(GRPCStatus(.internalError, "the response has no form in JSON"))
        }
        guard isStream else {
            response = json
            return
        }
        beginStream()
        handler?.writeStream(Array("{\"result\":".utf8) + json + Array("}\n".utf8))
    }

    func begin(byteCount: Int) {
        guard !isOver, let handler else { return }
        precondition(!isStream, "only a unary call has a large response")
        large = LargeResponse(byteCount: byteCount, method.transcoder, handler.background)
    }

    func append(_ piece: [UInt8]) {
        guard !isOver else { return }
        large?.append(piece)
    }

    func finish(_ status: GRPCStatus) {
        guard status.code == .ok, let large, !isOver, let handler else {
            return finish(status, asUnary: method.kind == .unary)
        }
        receiver = nil
        large.transcode(for: connection, on: handler.eventLoop) { [self] json in
            guard !isOver else { return }
            self.large = nil
            response = json
            finish(
                json == nil ? GRPCStatus(.internalError, "the response has no form in JSON") : .ok,
                asUnary: true)
        }
    }

    /// Of the client, whatever call of it this is.
    var connection: ObjectIdentifier { handler.map { ObjectIdentifier($0) } ?? ObjectIdentifier(self) }

    private func finish(_ status: GRPCStatus, asUnary: Bool) {
        guard !isOver else { return }
        isOver = true
        deadline?.timer.cancel()
        receiver = nil
        if !asUnary {
            finishStream(status)
        } else if status.code == .ok, let response {
            handler?.respond(.ok, response, type: "application/json", extra: Self.metadata)
        } else {
            handler?.respond(
                GatewayError.httpStatus(status.code), GatewayError.unary(status), type: "application/json")
        }
    }

    private func finishStream(_ status: GRPCStatus) {
        if status.code != .ok {
            let error = GatewayError.stream(status)
            guard streamHasBegun else {
                handler?.respond(
                    GatewayError.httpStatus(status.code), error, type: "application/json")
                return
            }
            handler?.writeStream(error + Array("\n".utf8))
        } else {
            beginStream()
        }
        handler?.endResponse()
    }

    private func beginStream() {
        guard !streamHasBegun else { return }
        streamHasBegun = true
        handler?.beginStream(.ok, extra: Self.metadata)
    }

    /// The metadata of the answer, as the gateway shows it.
    private static let metadata = [("Grpc-Metadata-Content-Type", "application/grpc")]

    var queuedBytes: Int { handler?.unwrittenBytes ?? 0 }

    var timeoutNanoseconds: Int64? { deadline.map { max(0, ($0.at - .now()).nanoseconds) } }
}
