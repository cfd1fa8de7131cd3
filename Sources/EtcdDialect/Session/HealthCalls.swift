import EtcdProtobuf
import GRPC

/// gRPC health checking. The server as a whole, whose name is empty, is the only service that is checked.
extension UnaryCall {
    func onHealthRequest(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        let request = try decode(GRPCHealthCheckRequest.self, message)
        guard request.service.isEmpty else { throw EtcdFault(.notFound, "unknown service") }
        try respond(GRPCHealthCheckResponse.with { $0.status = .serving }, revision: nil)
    }
}

/// A call of the health service's Watch: the state now, and nothing more, as it does not change while the
/// server runs.
final class HealthStream: EtcdCall {
    private var isAnswered = false

    override func onMessage(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        guard !isAnswered else { return }
        isAnswered = true
        guard let request = try? GRPCHealthCheckRequest(serializedBytes: [UInt8](message)) else {
            throw .malformed(.unexpectedEnd)
        }
        let state: GRPCHealthCheckResponse.ServingStatus =
            request.service.isEmpty ? .serving : .serviceUnknown
        try send { writer throws(EtcdFault) in writer.int64(Int64(state.rawValue), field: 1) }
    }
}
