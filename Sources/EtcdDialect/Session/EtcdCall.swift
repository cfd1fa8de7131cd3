import Coordination
import GRPC
import NIOCore

/// Whoever asks the service through an endpoint and waits for the answer.
protocol ServiceCaller: AnyObject {
    /// Nobody wants the answer any more.
    var isOver: Bool { get }
    /// The service answered what was asked under `tag`.
    func onAnswer(_ answer: Result<ServiceAnswer, ServiceError>, tag: Int) throws(EtcdFault)
    /// Ends the call with an error.
    func fail(_ fault: EtcdFault)
}

/// One call that a client made, over gRPC or through the gateway.
///
/// Lives on its endpoint's event loop. It is over when it has been answered or cancelled; answers of the
/// service that come later are dropped.
class EtcdCall: GRPCReceiver, ServiceCaller {
    let endpoint: EtcdEndpoint
    let method: EtcdMethod
    /// Nil when the call is over.
    private(set) final var transport: (any GRPCCall)?
    private let begun = NIODeadline.now()

    init(endpoint: EtcdEndpoint, method: EtcdMethod, transport: any GRPCCall) {
        self.endpoint = endpoint
        self.method = method
        self.transport = transport
        endpoint.counters.started(method)
        if method.endsByItself { endpoint.callBegan() }
    }

    final var isOver: Bool { transport == nil }

    // MARK: From the transport

    final func received(_ message: UnsafeRawBufferPointer) {
        guard !isOver else { return }
        endpoint.counters.received(method, bytes: message.count)
        do { try onMessage(message) } catch { fail(error) }
    }

    /// Read one message of the client.
    func onMessage(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {}

    func halfClosed() {}

    func drained() {}

    final func cancelled() {
        guard !isOver else { return }
        end(.cancelled)
    }

    // MARK: From the service

    func onAnswer(_ answer: Result<ServiceAnswer, ServiceError>, tag: Int) throws(EtcdFault) {}

    /// The server is about to stop, and has answered everything else: a stream says the last that it has to say,
    /// and ends.
    func onDrain() {
        if !method.endsByItself { fail(.stopped) }
    }

    /// The call is over, for whatever reason: let go of everything.
    func onEnd() {}

    // MARK: To the client

    /// A message of so many bytes is handed over with its memory instead of being copied.
    private static var bytesWorthMoving: Int { 64 << 10 }

    final func send(_ write: (inout ProtobufWriter) throws(EtcdFault) -> Void) throws(EtcdFault) {
        guard let transport else { return }
        endpoint.writer.removeAll()
        try write(&endpoint.writer)
        guard endpoint.writer.bytes.count < Self.bytesWorthMoving || method.kind != .unary else {
            let message = endpoint.writer.takeBytes()
            begin(byteCount: message.count)
            return append(message)
        }
        let bytes = endpoint.writer.bytes
        endpoint.counters.sent(method, bytes: bytes.count)
        bytes.withUnsafeBytes { transport.send($0) }
    }

    /// Begins a message of so many bytes, which `append` brings.
    final func begin(byteCount: Int) {
        endpoint.counters.sent(method, bytes: byteCount)
        transport?.begin(byteCount: byteCount)
    }

    final func append(_ piece: [UInt8]) { transport?.append(piece) }

    /// What the client has not taken; nil when the call is over.
    final var queuedBytes: Int? { transport?.queuedBytes }

    /// Whose call it is, for taking turns.
    final var connection: ObjectIdentifier { transport?.connection ?? ObjectIdentifier(self) }

    final func finish() {
        guard let transport else { return }
        end(.ok)
        transport.finish(.ok)
    }

    final func fail(_ fault: EtcdFault) {
        guard let transport else { return }
        end(fault.code)
        transport.finish(fault.status)
    }

    private func end(_ code: GRPCStatus.Code) {
        transport = nil
        endpoint.counters.handled(method, code)
        if method.kind == .unary {
            endpoint.counters.took(method, nanoseconds: (NIODeadline.now() - begun).nanoseconds)
        }
        if method.kind != .unary { endpoint.removeStream(self) }
        onEnd()
        if method.endsByItself { endpoint.callEnded() }
    }
}
