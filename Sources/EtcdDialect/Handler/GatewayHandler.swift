import GRPC
import NIOCore
import NIOHTTP1

/// Serves the HTTP/1.1 requests of one connection: the JSON gateway and the operators' pages.
///
/// NIO's pipeline handler in front of it hands over one request at a time, the next when the response to the
/// last has ended.
final class GatewayHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// What the listener is for.
    enum Offer { case all, operators }

    private let endpoint: EtcdEndpoint
    private let offer: Offer
    private var context: ChannelHandlerContext!
    /// The request that is being read or answered.
    private var head: HTTPRequestHead?
    private var call: GatewayCall?
    private var bodyBytes = 0
    private var responseHasBegun = false
    private var isQuiescing = false
    /// Bytes written and not yet taken by the kernel.
    private(set) var unwrittenBytes = 0

    init(endpoint: EtcdEndpoint, offer: Offer) {
        self.endpoint = endpoint
        self.offer = offer
    }

    /// A body of JSON, where bytes take four thirds of their room, for the largest message that gRPC takes.
    private var bodyLimit: Int { maxMessageBytes / 3 * 4 + (64 << 10) }
    var maxMessageBytes: Int { endpoint.limits.requestBytes + (512 << 10) }
    var background: ReadPool { endpoint.server.reads }
    var eventLoop: any EventLoop { endpoint.eventLoop }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        abandon()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        abandon()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        abandon()
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            isQuiescing = true
            if head == nil { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        endpoint.flush()
        context.fireChannelReadComplete()
    }

    private func abandon() {
        let call = call
        self.call = nil
        head = nil
        call?.abandon()
        endpoint.flush()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): onHead(head)
        case .body(let bytes): onBody(bytes)
        case .end: onEnd()
        }
    }

    private func onHead(_ head: HTTPRequestHead) {
        self.head = head
        bodyBytes = 0
        responseHasBegun = false
        let path = String(head.uri.prefix { $0 != "?" })
        guard case .call(let method) = GatewayRoute(head.method, path: path), offer == .all else { return }
        if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }), length > bodyLimit {
            return refuseBody()
        }
        if head.headers.contains(name: "expect") {
            context.writeAndFlush(
                wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: .continue))),
                promise: nil)
        }
        let call = GatewayCall(method: method.description, handler: self)
        self.call = call
        var metadata = GRPCMetadata()
        for (name, value) in head.headers { metadata.add(gatewayHeader: name, value: value) }
        call.receiver = endpoint.open(call, method: method, metadata: metadata)
    }

    private func onBody(_ bytes: ByteBuffer) {
        guard let call else { return }
        bodyBytes += bytes.readableBytes
        guard bodyBytes <= bodyLimit || call.isStream else { return refuseBody() }
        call.onBody(bytes, limit: bodyLimit)
    }

    private func onEnd() {
        if let call { return call.onBodyEnd() }
        guard let head, !responseHasBegun else { return }
        let path = String(head.uri.prefix { $0 != "?" })
        switch GatewayRoute(head.method, path: path) {
        case .preflight: respond(.ok, [])
        case .page(let page): OperatorPages.serve(page, QueryParameters(uri: head.uri), endpoint, self)
        case .methodNotAllowed(let allowed):
            respondText(
                .methodNotAllowed, "Method Not Allowed\n", extra: allowed.map { [("Allow", $0)] } ?? [])
        case .noSuchCall where offer == .all: respondText(.notFound, "Not Found\n")
        case .notFound, .noSuchCall, .call: respondText(.notFound, "404 page not found\n")
        }
    }

    private func refuseBody() {
        let call = call
        self.call = nil
        call?.abandon()
        let status = GRPCStatus(
            .resourceExhausted, "grpc: received message larger than max (more than \(maxMessageBytes))")
        head?.headers.replaceOrAdd(name: "connection", value: "close")
        head?.version = .http1_0
        respond(.payloadTooLarge, GatewayError.unary(status), type: "application/json")
    }

    // MARK: Responses

    private func headers(type: String?) -> HTTPHeaders {
        var headers = HTTPHeaders([
            ("Access-Control-Allow-Headers", "accept, content-type, authorization"),
            ("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE"),
            ("Access-Control-Allow-Origin", "*"),
        ])
        if let type { headers.add(name: "Content-Type", value: type) }
        return headers
    }

    func respond(
        _ status: HTTPResponseStatus, _ body: [UInt8], type: String? = nil, extra: [(String, String)] = []
    ) {
        guard let head, !responseHasBegun else { return }
        responseHasBegun = true
        var headers = headers(type: type)
        for (name, value) in extra { headers.add(name: name, value: value) }
        headers.add(name: "Content-Length", value: String(body.count))
        write(.head(HTTPResponseHead(version: head.version, status: status, headers: headers)))
        if !body.isEmpty, head.method != .HEAD { write(.body(.byteBuffer(ByteBuffer(bytes: body)))) }
        endResponse()
    }

    func respondText(_ status: HTTPResponseStatus, _ text: String, extra: [(String, String)] = []) {
        respond(
            status, Array(text.utf8), type: "text/plain; charset=utf-8",
            extra: extra + [("X-Content-Type-Options", "nosniff")])
    }

    /// Begins a response of unknown length.
    func beginStream(_ status: HTTPResponseStatus, extra: [(String, String)]) {
        guard let head, !responseHasBegun else { return }
        responseHasBegun = true
        var headers = headers(type: "application/json")
        for (name, value) in extra { headers.add(name: name, value: value) }
        write(.head(HTTPResponseHead(version: head.version, status: status, headers: headers)))
    }

    func writeStream(_ bytes: [UInt8]) {
        guard let context, head != nil else { return }
        let count = bytes.count
        unwrittenBytes += count
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [weak self] _ in self?.onWritten(count) }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: promise)
    }

    private func onWritten(_ count: Int) {
        let before = unwrittenBytes
        unwrittenBytes -= count
        if before >= GatewayCall.lowWaterBytes, unwrittenBytes < GatewayCall.lowWaterBytes { call?.drained() }
    }

    /// Ends the response, and the connection when the client does not want to keep it.
    func endResponse() {
        guard let context, let head else { return }
        call = nil
        self.head = nil
        let staysOpen = head.isKeepAlive && !isQuiescing
        guard !staysOpen else {
            return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
    }

    private func write(_ part: HTTPServerResponsePart) {
        context?.write(wrapOutboundOut(part), promise: nil)
    }
}

extension GRPCMetadata {
    /// A header of HTTP becomes metadata when it is named for that, or is the token.
    fileprivate mutating func add(gatewayHeader name: String, value: String) {
        let name = name.lowercased()
        if name == "authorization" {
            entries.append((name, value))
        } else if name.hasPrefix("grpc-metadata-") {
            entries.append((String(name.dropFirst(14)), value))
        }
    }
}
