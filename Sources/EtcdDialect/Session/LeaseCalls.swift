import Coordination
import EtcdProtobuf

/// The service Lease, but for its stream.
extension UnaryCall {
    func onLeaseRequest(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        switch method {
        case .leaseGrant: try onGrant(try decode(EtcdLeaseGrantRequest.self, message))
        case .leaseRevoke:
            let request = try decode(EtcdLeaseRevokeRequest.self, message)
            submit(LedgerCommand.revokeLease(LeaseID(request.id)))
        case .leaseTimeToLive: try onTimeToLive(try decode(EtcdLeaseTimeToLiveRequest.self, message))
        case .leaseLeases:
            readLinearizably(
                .other { call, reader in
                    var response = EtcdLeaseLeasesResponse()
                    response.leases = try reader.ledger.leases().map { lease in
                        EtcdLeaseStatus.with { $0.id = lease.id.rawValue }
                    }
                    try call.respond(response, revision: try reader.revision())
                })
        default: preconditionFailure("\(method) is not a unary call of the service Lease")
        }
    }

    private func onGrant(_ request: EtcdLeaseGrantRequest) throws(EtcdFault) {
        guard request.ttl <= Ledger.longestLeaseSeconds else { throw .leaseTooLong }
        // A member proposes the number, so that applying the command draws none.
        let lease = request.id == 0 ? Int64.random(in: 1...Int64.max) : request.id
        submit(
            LedgerCommand.grantLease(
                LeaseID(lease), seconds: max(request.ttl, endpoint.limits.minimumLeaseSeconds)))
    }

    private func onTimeToLive(_ request: EtcdLeaseTimeToLiveRequest) throws(EtcdFault) {
        let lease = LeaseID(request.id)
        submit(.leaseTimeToLive(lease)) { call, answer throws(EtcdFault) in
            guard case .leaseTimeToLive(let remaining, let granted) = answer else {
                throw EtcdFault(.internalError, "etcdserver: unexpected answer \(answer)")
            }
            var response = EtcdLeaseTimeToLiveResponse()
            response.id = request.id
            response.ttl = remaining
            guard remaining >= 0 else {
                try call.respond(response, revision: call.endpoint.status.revision)
                return
            }
            response.grantedTtl = granted
            guard request.keys else {
                try call.respond(response, revision: call.endpoint.status.revision)
                return
            }
            call.readLocally(
                .other { call, reader in
                    response.keys = try reader.keys(of: lease).map { .init($0) }
                    try call.respond(response, revision: try reader.revision())
                })
        }
    }
}
