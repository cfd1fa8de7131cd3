import GRPC
import NIOCore
import NIOPosix

// EchoServer PORT [later]: answers every unary call with a message of 64 bytes; with `later`, not during the
// read that brought the request but in a batch from another thread, as a replicated service does.

/// A connection's service, which hands batches of calls to a thread and answers them when they come back.
/// Confined to the connection's event loop, except for `other`, which is only asked to send the batch back.
final class EchoService: GRPCService, @unchecked Sendable {
    private let connection: any GRPCConnection
    private let eventLoop: any EventLoop
    private let other: (any EventLoop)?
    private var pending: [any GRPCCall] = []
    private var underWay: [[any GRPCCall]] = []
    private let answer = [UInt8](repeating: 1, count: 64)

    init(_ connection: any GRPCConnection, later other: (any EventLoop)?) {
        self.connection = connection
        self.other = other
        eventLoop = connection.eventLoop
    }

    func open(_ call: any GRPCCall, path: String, metadata: GRPCMetadata) -> (any GRPCReceiver)? {
        Echo(call, self)
    }

    func onCall(_ call: any GRPCCall) {
        if other == nil { finish(call) } else { pending.append(call) }
    }

    func readComplete() {
        guard let other, !pending.isEmpty else { return }
        underWay.append(pending)
        pending = []
        other.execute { [self] in
            eventLoop.execute { [self] in
                for call in underWay.removeFirst() { finish(call) }
                connection.flush()
            }
        }
    }

    func closed() {}

    private func finish(_ call: any GRPCCall) {
        answer.withUnsafeBytes { call.send($0) }
        call.finish(.ok)
    }
}

final class Echo: GRPCReceiver {
    private let call: any GRPCCall
    private let service: EchoService

    init(_ call: any GRPCCall, _ service: EchoService) {
        self.call = call
        self.service = service
    }

    func received(_ message: UnsafeRawBufferPointer) {}
    func halfClosed() { service.onCall(call) }
    func cancelled() {}
    func drained() {}
}

let port = Int(CommandLine.arguments.dropFirst().first ?? "") ?? 25000
let later =
    CommandLine.arguments.contains("later")
    ? MultiThreadedEventLoopGroup(numberOfThreads: 1).next() : nil
let server = try await GRPCServer.bind(
    to: [SocketAddress(ipAddress: "127.0.0.1", port: port)],
    group: MultiThreadedEventLoopGroup(numberOfThreads: 1)
) { EchoService($0, later: later) }
print("listening on", server.localAddresses[0])
try await Task.sleep(for: .seconds(1_000_000))
