import EtcdProtobuf
import SwiftProtobuf

/// Every call that the server knows.
enum EtcdMethod: Int, CaseIterable {
    case range, put, deleteRange, txn, compact
    case watch
    case leaseGrant, leaseRevoke, leaseKeepAlive, leaseTimeToLive, leaseLeases
    case memberAdd, memberRemove, memberUpdate, memberList, memberPromote
    case alarm, status, defragment, hash, hashKV, snapshot, moveLeader, downgrade
    case authEnable, authDisable, authStatus, authenticate
    case userAdd, userGet, userList, userDelete, userChangePassword, userGrantRole, userRevokeRole
    case roleAdd, roleGet, roleList, roleDelete, roleGrantPermission, roleRevokePermission
    case healthCheck, healthWatch
}

/// What a call is called, by gRPC and by the JSON gateway, and what it carries.
struct MethodDescription: Sendable {
    enum Kind: String {
        case unary
        case serverStream = "server_stream"
        case bidirectionalStream = "bidi_stream"
    }

    let method: EtcdMethod
    /// `package.Service`
    let service: String
    let name: String
    /// Below the gateway's prefix; the first is the usual one. Empty: gRPC only.
    let gatewayPaths: [String]
    let transcoder: Transcoder

    var kind: Kind { method.kind }
    var path: String { "/\(service)/\(name)" }

    fileprivate init<Request: Message, Response: Message>(
        _ method: EtcdMethod, _ service: String, _ name: String, _ gatewayPaths: [String],
        _ request: Request.Type, _ response: Response.Type
    ) {
        self.method = method
        self.service = service
        self.name = name
        self.gatewayPaths = gatewayPaths
        transcoder = Transcoder(request, response)
    }
}

/// The table of all calls.
enum MethodTable {
    /// In the order of `EtcdMethod`.
    static let all: [MethodDescription] = keyValue + lease + cluster + maintenance + auth + health

    static let byPath: [String: EtcdMethod] = Dictionary(
        uniqueKeysWithValues: all.map { ($0.path, $0.method) })

    static let services: Set<String> = Set(all.map(\.service))

    static let byGatewayPath: [String: EtcdMethod] = Dictionary(
        uniqueKeysWithValues: all.flatMap { description in
            description.gatewayPaths.map { ($0, description.method) }
        })

    private static let keyValue: [MethodDescription] = [
        .init(
            .range, "etcdserverpb.KV", "Range", ["/kv/range"], EtcdRangeRequest.self, EtcdRangeResponse.self),
        .init(.put, "etcdserverpb.KV", "Put", ["/kv/put"], EtcdPutRequest.self, EtcdPutResponse.self),
        .init(
            .deleteRange, "etcdserverpb.KV", "DeleteRange", ["/kv/deleterange"], EtcdDeleteRangeRequest.self,
            EtcdDeleteRangeResponse.self),
        .init(.txn, "etcdserverpb.KV", "Txn", ["/kv/txn"], EtcdTxnRequest.self, EtcdTxnResponse.self),
        .init(
            .compact, "etcdserverpb.KV", "Compact", ["/kv/compaction"], EtcdCompactionRequest.self,
            EtcdCompactionResponse.self),
        .init(
            .watch, "etcdserverpb.Watch", "Watch", ["/watch"], EtcdWatchRequest.self, EtcdWatchResponse.self),
    ]

    private static let lease: [MethodDescription] = [
        .init(
            .leaseGrant, "etcdserverpb.Lease", "LeaseGrant", ["/lease/grant"], EtcdLeaseGrantRequest.self,
            EtcdLeaseGrantResponse.self),
        .init(
            .leaseRevoke, "etcdserverpb.Lease", "LeaseRevoke", ["/lease/revoke", "/kv/lease/revoke"],
            EtcdLeaseRevokeRequest.self, EtcdLeaseRevokeResponse.self),
        .init(
            .leaseKeepAlive, "etcdserverpb.Lease", "LeaseKeepAlive", ["/lease/keepalive"],
            EtcdLeaseKeepAliveRequest.self, EtcdLeaseKeepAliveResponse.self),
        .init(
            .leaseTimeToLive, "etcdserverpb.Lease", "LeaseTimeToLive",
            ["/lease/timetolive", "/kv/lease/timetolive"], EtcdLeaseTimeToLiveRequest.self,
            EtcdLeaseTimeToLiveResponse.self),
        .init(
            .leaseLeases, "etcdserverpb.Lease", "LeaseLeases", ["/lease/leases", "/kv/lease/leases"],
            EtcdLeaseLeasesRequest.self, EtcdLeaseLeasesResponse.self),
    ]

    private static let cluster: [MethodDescription] = [
        .init(
            .memberAdd, "etcdserverpb.Cluster", "MemberAdd", ["/cluster/member/add"],
            EtcdMemberAddRequest.self, EtcdMemberAddResponse.self),
        .init(
            .memberRemove, "etcdserverpb.Cluster", "MemberRemove", ["/cluster/member/remove"],
            EtcdMemberRemoveRequest.self, EtcdMemberRemoveResponse.self),
        .init(
            .memberUpdate, "etcdserverpb.Cluster", "MemberUpdate", ["/cluster/member/update"],
            EtcdMemberUpdateRequest.self, EtcdMemberUpdateResponse.self),
        .init(
            .memberList, "etcdserverpb.Cluster", "MemberList", ["/cluster/member/list"],
            EtcdMemberListRequest.self, EtcdMemberListResponse.self),
        .init(
            .memberPromote, "etcdserverpb.Cluster", "MemberPromote", ["/cluster/member/promote"],
            EtcdMemberPromoteRequest.self, EtcdMemberPromoteResponse.self),
    ]

    private static let maintenance: [MethodDescription] = [
        .init(
            .alarm, "etcdserverpb.Maintenance", "Alarm", ["/maintenance/alarm"], EtcdAlarmRequest.self,
            EtcdAlarmResponse.self),
        .init(
            .status, "etcdserverpb.Maintenance", "Status", ["/maintenance/status"], EtcdStatusRequest.self,
            EtcdStatusResponse.self),
        .init(
            .defragment, "etcdserverpb.Maintenance", "Defragment", ["/maintenance/defragment"],
            EtcdDefragmentRequest.self, EtcdDefragmentResponse.self),
        .init(
            .hash, "etcdserverpb.Maintenance", "Hash", ["/maintenance/hash"], EtcdHashRequest.self,
            EtcdHashResponse.self),
        .init(
            .hashKV, "etcdserverpb.Maintenance", "HashKV", ["/maintenance/hashkv"], EtcdHashKVRequest.self,
            EtcdHashKVResponse.self),
        .init(
            .snapshot, "etcdserverpb.Maintenance", "Snapshot", ["/maintenance/snapshot"],
            EtcdSnapshotRequest.self, EtcdSnapshotResponse.self),
        .init(
            .moveLeader, "etcdserverpb.Maintenance", "MoveLeader", ["/maintenance/transfer-leadership"],
            EtcdMoveLeaderRequest.self, EtcdMoveLeaderResponse.self),
        .init(
            .downgrade, "etcdserverpb.Maintenance", "Downgrade", ["/maintenance/downgrade"],
            EtcdDowngradeRequest.self, EtcdDowngradeResponse.self),
    ]

    private static let auth: [MethodDescription] = [
        .init(
            .authEnable, "etcdserverpb.Auth", "AuthEnable", ["/auth/enable"], EtcdAuthEnableRequest.self,
            EtcdAuthEnableResponse.self),
        .init(
            .authDisable, "etcdserverpb.Auth", "AuthDisable", ["/auth/disable"], EtcdAuthDisableRequest.self,
            EtcdAuthDisableResponse.self),
        .init(
            .authStatus, "etcdserverpb.Auth", "AuthStatus", ["/auth/status"], EtcdAuthStatusRequest.self,
            EtcdAuthStatusResponse.self),
        .init(
            .authenticate, "etcdserverpb.Auth", "Authenticate", ["/auth/authenticate"],
            EtcdAuthenticateRequest.self, EtcdAuthenticateResponse.self),
        .init(
            .userAdd, "etcdserverpb.Auth", "UserAdd", ["/auth/user/add"], EtcdAuthUserAddRequest.self,
            EtcdAuthUserAddResponse.self),
        .init(
            .userGet, "etcdserverpb.Auth", "UserGet", ["/auth/user/get"], EtcdAuthUserGetRequest.self,
            EtcdAuthUserGetResponse.self),
        .init(
            .userList, "etcdserverpb.Auth", "UserList", ["/auth/user/list"], EtcdAuthUserListRequest.self,
            EtcdAuthUserListResponse.self),
        .init(
            .userDelete, "etcdserverpb.Auth", "UserDelete", ["/auth/user/delete"],
            EtcdAuthUserDeleteRequest.self, EtcdAuthUserDeleteResponse.self),
        .init(
            .userChangePassword, "etcdserverpb.Auth", "UserChangePassword", ["/auth/user/changepw"],
            EtcdAuthUserChangePasswordRequest.self, EtcdAuthUserChangePasswordResponse.self),
        .init(
            .userGrantRole, "etcdserverpb.Auth", "UserGrantRole", ["/auth/user/grant"],
            EtcdAuthUserGrantRoleRequest.self, EtcdAuthUserGrantRoleResponse.self),
        .init(
            .userRevokeRole, "etcdserverpb.Auth", "UserRevokeRole", ["/auth/user/revoke"],
            EtcdAuthUserRevokeRoleRequest.self, EtcdAuthUserRevokeRoleResponse.self),
        .init(
            .roleAdd, "etcdserverpb.Auth", "RoleAdd", ["/auth/role/add"], EtcdAuthRoleAddRequest.self,
            EtcdAuthRoleAddResponse.self),
        .init(
            .roleGet, "etcdserverpb.Auth", "RoleGet", ["/auth/role/get"], EtcdAuthRoleGetRequest.self,
            EtcdAuthRoleGetResponse.self),
        .init(
            .roleList, "etcdserverpb.Auth", "RoleList", ["/auth/role/list"], EtcdAuthRoleListRequest.self,
            EtcdAuthRoleListResponse.self),
        .init(
            .roleDelete, "etcdserverpb.Auth", "RoleDelete", ["/auth/role/delete"],
            EtcdAuthRoleDeleteRequest.self, EtcdAuthRoleDeleteResponse.self),
        .init(
            .roleGrantPermission, "etcdserverpb.Auth", "RoleGrantPermission", ["/auth/role/grant"],
            EtcdAuthRoleGrantPermissionRequest.self, EtcdAuthRoleGrantPermissionResponse.self),
        .init(
            .roleRevokePermission, "etcdserverpb.Auth", "RoleRevokePermission", ["/auth/role/revoke"],
            EtcdAuthRoleRevokePermissionRequest.self, EtcdAuthRoleRevokePermissionResponse.self),
    ]

    private static let health: [MethodDescription] = [
        .init(
            .healthCheck, "grpc.health.v1.Health", "Check", [], GRPCHealthCheckRequest.self,
            GRPCHealthCheckResponse.self),
        .init(
            .healthWatch, "grpc.health.v1.Health", "Watch", [],
            GRPCHealthCheckRequest.self, GRPCHealthCheckResponse.self),
    ]
}

extension EtcdMethod {
    var description: MethodDescription { MethodTable.all[rawValue] }

    var kind: MethodDescription.Kind {
        switch self {
        case .watch, .leaseKeepAlive: .bidirectionalStream
        case .snapshot, .healthWatch: .serverStream
        default: .unary
        }
    }

    /// Whether a call is over when the service has done what was asked, and not when somebody ends it.
    var endsByItself: Bool { kind == .unary || self == .snapshot }
}
