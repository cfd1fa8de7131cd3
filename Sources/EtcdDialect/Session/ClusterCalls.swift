import Coordination
import EtcdProtobuf
import FoundationEssentials

/// The service Cluster. The membership of a running cluster is not changed through it yet; what is wrong with
/// a request is said all the same.
extension UnaryCall {
    func onClusterRequest(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        let members = endpoint.refreshStatus().members
        switch method {
        case .memberList:
            let request = try decode(EtcdMemberListRequest.self, message)
            guard request.linearizable else { return try respondWithMembers() }
            submit(.linearizableRead) { call, _ throws(EtcdFault) in try call.respondWithMembers() }
        case .memberAdd:
            let request = try decode(EtcdMemberAddRequest.self, message)
            try checkPeerURLs(request.peerUrls)
            let known = Set(members.flatMap(\.peerURLs))
            guard known.isDisjoint(with: request.peerUrls) else { throw .peerURLsExist }
            throw .unimplemented("changing the membership")
        case .memberRemove:
            let request = try decode(EtcdMemberRemoveRequest.self, message)
            guard members.contains(where: { $0.id == request.id }) else { throw .memberNotFound }
            throw .unimplemented("changing the membership")
        case .memberUpdate:
            let request = try decode(EtcdMemberUpdateRequest.self, message)
            guard members.contains(where: { $0.id == request.id }) else { throw .memberNotFound }
            throw .unimplemented("changing the membership")
        case .memberPromote:
            let request = try decode(EtcdMemberPromoteRequest.self, message)
            guard let member = members.first(where: { $0.id == request.id }) else { throw .memberNotFound }
            guard member.isLearner else { throw .memberNotLearner }
            throw .unimplemented("changing the membership")
        default: preconditionFailure("\(method) is not of the service Cluster")
        }
    }

    private func respondWithMembers() throws(EtcdFault) {
        var response = EtcdMemberListResponse()
        response.members = endpoint.refreshStatus().members.map { member in
            EtcdMember.with {
                $0.id = member.id
                $0.name = member.name
                $0.peerUrls = member.peerURLs
                $0.clientUrls = member.clientURLs
                $0.isLearner = member.isLearner
            }
        }
        // The header of this service carries no revision.
        try respond(response, revision: 0)
    }

    /// `http://` or `https://`, a host, a port, and no path.
    private func checkPeerURLs(_ urls: [String]) throws(EtcdFault) {
        guard !urls.isEmpty else { throw .memberURLsInvalid }
        for url in urls {
            guard let parsed = URL(string: url), let scheme = parsed.scheme,
                ["http", "https"].contains(scheme), parsed.host() != nil, parsed.port != nil,
                parsed.path().isEmpty
            else { throw .memberURLsInvalid }
        }
    }
}
