import EtcdProtobuf

/// The service Auth, as an etcd without users answers while its auth is off. Users and roles cannot be added
/// yet, so there never are any.
extension UnaryCall {
    func onAuthRequest(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        let revision = endpoint.refreshStatus().revision
        switch method {
        case .authDisable: try respond(EtcdAuthDisableResponse(), revision: revision)
        case .authStatus:
            try respond(EtcdAuthStatusResponse.with { $0.authRevision = 1 }, revision: revision)
        case .authEnable: throw .rootUserMissing
        case .authenticate: throw .authNotEnabled
        case .userList: try respond(EtcdAuthUserListResponse(), revision: revision)
        case .roleList: try respond(EtcdAuthRoleListResponse(), revision: revision)
        case .userAdd:
            let request = try decode(EtcdAuthUserAddRequest.self, message)
            guard !request.name.isEmpty else { throw .userNameEmpty }
            throw .unimplemented("adding users")
        case .roleAdd:
            let request = try decode(EtcdAuthRoleAddRequest.self, message)
            guard !request.name.isEmpty else { throw .roleNameEmpty }
            throw .unimplemented("adding roles")
        case .userGet, .userDelete, .userChangePassword, .userGrantRole, .userRevokeRole:
            throw .userNotFound
        case .roleGrantPermission:
            let request = try decode(EtcdAuthRoleGrantPermissionRequest.self, message)
            guard request.hasPerm else { throw .permissionNotGiven }
            throw .roleNotFound
        case .roleGet, .roleDelete, .roleRevokePermission: throw .roleNotFound
        default: preconditionFailure("\(method) is not of the service Auth")
        }
    }
}
