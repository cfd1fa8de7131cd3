import GRPC

/// A service for the tests of the transport: `/test.Echo/…`.
///
/// | method | what it does |
/// |---|---|
/// | Unary | sends back its message when the client is done |
/// | Both | sends back every message at once, and ends when the client does |
/// | Fail | ends with status 9 and the message's text |
/// | Large | sends as many bytes as the message says in decimal, in one message |
/// | Pieces | sends its message back, then as many bytes as it says in decimal, as one message in pieces |
/// | Many | sends that many messages of 1 KiB, keeping little queued |
/// | Silent | never answers |
final class EchoService: GRPCService {
    /// What happened, for the tests to look at.
    final class Log {
        var opened = 0
        var halfClosed = 0
        var cancelled = 0
        var messages = 0
        var closed = 0
        var readCompletes = 0
        var live = 0
        var largestQueue = 0
        var metadata: [(name: String, value: String)] = []
        var timeout: Int64?
        var calls: [any GRPCCall] = []
        var keepsCalls = false
    }

    let log: Log

    init(log: Log = Log()) { self.log = log }

    func open(_ call: any GRPCCall, path: String, metadata: GRPCMetadata) -> (any GRPCReceiver)? {
        let prefix = "/test.Echo/"
        guard path.hasPrefix(prefix), let method = Echo.Method(rawValue: String(path.dropFirst(prefix.count)))
        else { return nil }
        log.opened += 1
        log.metadata = metadata.entries
        log.timeout = call.timeoutNanoseconds
        if log.keepsCalls { log.calls.append(call) }
        return Echo(call, method, log)
    }

    func hasService(_ name: String) -> Bool { name == "test.Echo" }
    func readComplete() { log.readCompletes += 1 }
    func closed() { log.closed += 1 }
}

private final class Echo: GRPCReceiver {
    enum Method: String {
        case unary = "Unary"
        case both = "Both"
        case fail = "Fail"
        case large = "Large"
        case pieces = "Pieces"
        case many = "Many"
        case silent = "Silent"
    }

    private let call: any GRPCCall
    private let method: Method
    private let log: EchoService.Log
    private var last: [UInt8] = []
    private var left = 0

    init(_ call: any GRPCCall, _ method: Method, _ log: EchoService.Log) {
        self.call = call
        self.method = method
        self.log = log
        log.live += 1
    }

    deinit { log.live -= 1 }

    func received(_ message: UnsafeRawBufferPointer) {
        log.messages += 1
        switch method {
        case .both: call.send(message)
        case .many:
            left = Int(String(decoding: message, as: UTF8.self)) ?? 0
            sendMany()
        case .unary, .fail, .large, .pieces, .silent: last = Array(message)
        }
    }

    func halfClosed() {
        log.halfClosed += 1
        switch method {
        case .unary:
            last.withUnsafeBytes { call.send($0) }
            call.finish(.ok)
        case .both: call.finish(.ok)
        case .fail: call.finish(GRPCStatus(.failedPrecondition, String(decoding: last, as: UTF8.self)))
        case .large:
            let count = Int(String(decoding: last, as: UTF8.self)) ?? 0
            call.send(byteCount: count) { bytes in
                for index in 0..<count { bytes[index] = UInt8(truncatingIfNeeded: index) }
            }
            call.finish(.ok)
        case .pieces:
            last.withUnsafeBytes { call.send($0) }
            let count = Int(String(decoding: last, as: UTF8.self)) ?? 0
            call.begin(byteCount: count)
            var sent = 0
            while sent < count {
                let piece = min(1000 + sent / 2, count - sent)
                call.append((sent..<(sent + piece)).map { UInt8(truncatingIfNeeded: $0) })
                sent += piece
            }
            last.withUnsafeBytes { call.send($0) }
            call.finish(.ok)
        case .many, .silent: break
        }
    }

    private func sendMany() {
        let kibibyte = [UInt8](repeating: 7, count: 1024)
        while left > 0, call.queuedBytes < 100_000 {
            kibibyte.withUnsafeBytes { call.send($0) }
            left -= 1
        }
        log.largestQueue = max(log.largestQueue, call.queuedBytes)
        if left == 0 { call.finish(.ok) }
    }

    func cancelled() { log.cancelled += 1 }
    func drained() { if method == .many { sendMany() } }
}
