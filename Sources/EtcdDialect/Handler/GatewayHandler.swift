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
    private var download: BackupDownload?
    private var bodyBytes = 0
    private var responseHasBegun = false
    /// Set when the response begins: whether another request may follow on the connection.
    private var keepsConnection = false
    /// There may be bytes of the client that nobody will read.
    private var abandonsInput = false
    private var isDraining = false
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
        if let draining = event as? GRPCServer.Draining, !isDraining {
            isDraining = true
            // It may take longer than the process has; the client sees that the end is missing.
            if download != nil { breakOff() }
            // A request may be on its way, and its answer can say that the connection ends.
            context.eventLoop.assumeIsolated().scheduleTask(in: draining.linger) {
                [weak self] in
                guard let self, head == nil else { return }
                self.context?.close(promise: nil)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        endpoint.flush()
        context.fireChannelReadComplete()
    }

    private func abandon() {
        let (call, download) = (call, download)
        self.call = nil
        self.download = nil
        head = nil
        call?.abandon()
        download?.abandon()
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
        if let refusal = GatewayRefusal(head) { return refuse(refusal.status, refusal.reason) }
        let path: String
        switch RequestTarget(head.method, head.uri) {
        case .path(let text): path = text
        case .moved: return
        case .malformed: return refuse(.badRequest)
        }
        guard case .call(let method) = GatewayRoute(head.method, path: path), offer == .all else { return }
        if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }), length > bodyLimit {
            return refuseBody()
        }
        if head.headers.contains(name: "expect"), !head.isOld {
            context.writeAndFlush(
                wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: .continue))),
                promise: nil)
        }
        let call = GatewayCall(method: method.description, handler: self)
        self.call = call
        var metadata = GRPCMetadata()
        for (name, value) in head.headers { metadata.add(gatewayHeader: name, value: value) }
        let timeout = head.headers.first(name: "grpc-timeout")
        guard call.begin(GatewayTimeout(timeout), text: timeout ?? "", on: context.eventLoop) else { return }
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
        let path: String
        switch RequestTarget(head.method, head.uri) {
        case .path(let text): path = text
        case .moved(let location): return respondMoved(head, location)
        case .malformed: return
        }
        switch GatewayRoute(head.method, path: path) {
        case .preflight: respond(.ok, [])
        case .page(.backup) where offer == .operators: respondText(.notFound, "404 page not found\n")
        case .page(.backup) where head.method == .GET:
            download = BackupDownload(handler: self, service: endpoint.service)
            download?.begin()
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
        abandonsInput = true
        respond(.payloadTooLarge, GatewayError.unary(status), type: "application/json")
    }

    // MARK: Responses

    /// Without `byteCount` the end of the body shows only where HTTP can say so, or by that of the connection.
    private func beginResponse(
        to head: HTTPRequestHead, _ status: HTTPResponseStatus, type: String?, extra: [(String, String)],
        byteCount: Int?
    ) {
        responseHasBegun = true
        var headers = HTTPHeaders([
            ("Access-Control-Allow-Headers", "accept, content-type, authorization"),
            ("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE"),
            ("Access-Control-Allow-Origin", "*"),
        ])
        if let type { headers.add(name: "Content-Type", value: type) }
        for (name, value) in extra { headers.add(name: name, value: value) }
        headers.add(name: "Date", value: HTTPDate.now)
        if let byteCount { headers.add(name: "Content-Length", value: String(byteCount)) }
        let isOld = head.isOld
        keepsConnection =
            head.isKeepAlive && !isDraining && !abandonsInput && (byteCount != nil || !isOld)
        // Each version has the other as its rule.
        if keepsConnection == isOld {
            headers.add(name: "Connection", value: keepsConnection ? "keep-alive" : "close")
        }
        let version = isOld ? HTTPVersion.http1_0 : .http1_1
        write(.head(HTTPResponseHead(version: version, status: status, headers: headers)))
    }

    func respond(
        _ status: HTTPResponseStatus, _ body: [UInt8], type: String? = nil, extra: [(String, String)] = []
    ) {
        guard let head, !responseHasBegun else { return }
        beginResponse(to: head, status, type: type, extra: extra, byteCount: body.count)
        if !body.isEmpty, head.method != .HEAD { write(.body(.byteBuffer(ByteBuffer(bytes: body)))) }
        endResponse()
    }

    func respondText(_ status: HTTPResponseStatus, _ text: String, extra: [(String, String)] = []) {
        respond(
            status, Array(text.utf8), type: "text/plain; charset=utf-8",
            extra: extra + [("X-Content-Type-Options", "nosniff")])
    }

    /// Begins a response of unknown length.
    func beginStream(
        _ status: HTTPResponseStatus, type: String = "application/json", extra: [(String, String)] = []
    ) {
        guard let head, !responseHasBegun else { return }
        beginResponse(to: head, status, type: type, extra: extra, byteCount: nil)
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
        if before >= GatewayCall.lowWaterBytes, unwrittenBytes < GatewayCall.lowWaterBytes {
            call?.drained()
            download?.drained()
        }
    }

    /// Ends the response, and the connection when the client does not want to keep it.
    func endResponse() {
        guard let context, head != nil else { return }
        call = nil
        download = nil
        head = nil
        guard !keepsConnection || isDraining else {
            return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        let lingers = abandonsInput || isDraining
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [self] _ in
            if lingers { closeLingering(context) } else { context.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
    }

    /// The rest of a response that has begun cannot be had: its client is to see that the end is missing.
    func breakOff() { context?.close(promise: nil) }

    /// A connection that is closed while bytes of the client are unread is reset, and the client may lose the
    /// answer by it. So only this side ends, and the other has a moment to see that.
    private func closeLingering(_ context: ChannelHandlerContext) {
        let channel = context.channel
        context.close(mode: .output, promise: nil)
        let timer = context.eventLoop.scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timer.cancel() }
    }

    /// The request is wrong before it is about anything; nothing more of it is read.
    private func refuse(_ status: HTTPResponseStatus, _ reason: String? = nil) {
        abandonsInput = true
        let text = "\(status.code) \(status.reasonPhrase)" + (reason.map { ": " + $0 } ?? "")
        respond(status, Array(text.utf8), type: "text/plain; charset=utf-8")
    }

    private func respondMoved(_ head: HTTPRequestHead, _ location: String) {
        guard head.method == .GET || head.method == .HEAD else {
            return respond(.movedPermanently, [], extra: [("Location", location)])
        }
        let link = location.split(separator: "&", omittingEmptySubsequences: false).joined(separator: "&amp;")
        respond(
            .movedPermanently, Array("<a href=\"\(link)\">Moved Permanently</a>.\n\n".utf8),
            type: "text/html; charset=utf-8", extra: [("Location", location)])
    }

    private func write(_ part: HTTPServerResponsePart) {
        context?.write(wrapOutboundOut(part), promise: nil)
    }
}
