import GRPC

/// The calls of one connection. They all live on the connection's endpoint.
final class EtcdService: GRPCService {
    let endpoint: EtcdEndpoint

    init(endpoint: EtcdEndpoint) { self.endpoint = endpoint }

    func open(_ call: any GRPCCall, path: String, metadata: GRPCMetadata) -> (any GRPCReceiver)? {
        guard let method = MethodTable.byPath[path] else { return nil }
        return endpoint.open(call, method: method, metadata: metadata)
    }

    func hasService(_ name: String) -> Bool { MethodTable.services.contains(name) }

    func readComplete() { endpoint.flush() }

    func closed() {}
}

extension EtcdEndpoint {
    /// Begins a call; nil when it was refused, which has then been said to the client.
    func open(_ transport: any GRPCCall, method: EtcdMethod, metadata: GRPCMetadata) -> EtcdCall? {
        let call: EtcdCall =
            switch method {
            case .watch: WatchStream(endpoint: self, method: method, transport: transport)
            case .leaseKeepAlive: KeepAliveStream(endpoint: self, method: method, transport: transport)
            case .snapshot: SnapshotStream(endpoint: self, method: method, transport: transport)
            case .healthWatch: HealthStream(endpoint: self, method: method, transport: transport)
            default: UnaryCall(endpoint: self, method: method, transport: transport)
            }
        let requiresLeader = metadata["hasleader"] == "true"
        if requiresLeader, refreshStatus().leaderID == 0 {
            call.fail(.noLeader)
            return nil
        }
        if method.kind != .unary { addStream(call, requiresLeader: requiresLeader) }
        if hasEndedStreams, !method.endsByItself {
            call.onDrain()
            return nil
        }
        return call
    }
}
