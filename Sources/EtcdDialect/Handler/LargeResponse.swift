import NIOCore

/// A large response on its way to a client of the gateway: its pieces are gathered, and another thread makes JSON
/// of them, which takes longer than an event loop may be kept.
final class LargeResponse {
    private var message: [UInt8] = []
    private let byteCount: Int
    private let transcoder: Transcoder
    private let pool: ReadPool

    init(byteCount: Int, _ transcoder: Transcoder, _ pool: ReadPool) {
        self.byteCount = byteCount
        self.transcoder = transcoder
        self.pool = pool
        message.reserveCapacity(byteCount)
    }

    func append(_ piece: [UInt8]) { message.append(contentsOf: piece) }

    /// Calls `body` on the event loop with the JSON, or nil when there is none of it.
    func transcode(
        for client: ObjectIdentifier, on eventLoop: any EventLoop, _ body: @escaping ([UInt8]?) -> Void
    ) {
        precondition(message.count == byteCount, "a response that is not complete")
        let body = NIOLoopBound(body, eventLoop: eventLoop)
        let message = message
        self.message = []
        let transcoder = transcoder
        pool.submit(for: client) {
            let json = message.withUnsafeBytes { transcoder.response($0) }
            eventLoop.execute { body.value(json) }
        }
    }
}
