import GRPC
import GRPCTestSupport

/// A server's and a client's session that hand each other their bytes, without a socket between.
final class SessionPair {
    let log = EchoService.Log()
    let server: HTTP2Session
    let client: HTTP2TestSession
    /// Bytes handed over at a time.
    var step = Int.max

    init(
        _ settings: GRPCSettings = GRPCSettings(), window: UInt32 = 65_535, clientReadsAlways: Bool = true
    ) {
        server = HTTP2Session(settings: settings, service: EchoService(log: log))
        client = HTTP2TestSession(window: window, readsAlways: clientReadsAlways)
    }

    deinit { server.close() }

    /// Hands over bytes both ways until neither side has any. Returns what the client sent.
    @discardableResult
    func run() -> [UInt8] {
        var sent: [UInt8] = []
        while true {
            let fromClient = client.takeOutput()
            sent += fromClient
            feed(fromClient)
            let fromServer = serverOutput()
            client.receive(fromServer)
            if fromClient.isEmpty, fromServer.isEmpty { return sent }
        }
    }

    func feed(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count {
                let end = step < bytes.count - start ? start + step : bytes.count
                server.receive(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                start = end
            }
        }
        server.receiveComplete()
    }

    func serverOutput() -> [UInt8] {
        server.fillOutput(limit: 1 << 20)
        let output = Array(server.output)
        server.clearOutput()
        server.notifyDrained()
        return output
    }

    /// One unary call, from its request to the reply.
    func call(
        _ method: String, _ message: [UInt8] = [], metadata: [(name: String, value: String)] = [],
        timeout: String? = nil
    ) -> GRPCTestReply {
        reply(
            to: client.request(
                GRPCWire.fields("/test.Echo/\(method)", metadata: metadata, timeout: timeout),
                body: GRPCWire.frame(message)))
    }

    func reply(to id: Int32) -> GRPCTestReply {
        run()
        let exchange = client.exchanges[id]!
        return GRPCTestReply(exchange, messages: exchange.messages)
    }

    func open(_ method: String, timeout: String? = nil) -> Int32 {
        client.request(GRPCWire.fields("/test.Echo/\(method)", timeout: timeout), ends: false)
    }
}

extension [(name: String, value: String)] {
    var lines: [String] { map { "\($0.name): \($0.value)" } }
}
