import Coordination
import EtcdProtobuf
import NIOCore
import SwiftProtobuf

/// The service Maintenance, but for its stream.
extension UnaryCall {
    func onMaintenanceRequest(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        switch method {
        case .status: try onStatus()
        case .alarm: try onAlarm(try decode(EtcdAlarmRequest.self, message))
        case .defragment:
            submit(.defragment) { call, _ throws(EtcdFault) in
                // etcd puts no header into this answer, nor into that of MoveLeader.
                try call.respond(EtcdDefragmentResponse(), revision: nil)
            }
        case .hash: hash(at: 0) { hash in EtcdHashResponse.with { $0.hash = hash.hash } }
        case .hashKV:
            let request = try decode(EtcdHashKVRequest.self, message)
            hash(at: request.revision) { hash in
                EtcdHashKVResponse.with {
                    $0.hash = hash.hash
                    $0.compactRevision = hash.compactRevision
                }
            }
        case .moveLeader: try onMoveLeader(try decode(EtcdMoveLeaderRequest.self, message))
        case .downgrade: try onDowngrade(try decode(EtcdDowngradeRequest.self, message))
        default: preconditionFailure("\(method) is not a unary call of the service Maintenance")
        }
    }

    private func onStatus() throws(EtcdFault) {
        let status = endpoint.refreshStatus()
        var response = EtcdStatusResponse()
        response.version = EtcdServer.version
        response.dbSize = Int64(status.storeBytes)
        response.dbSizeInUse = Int64(status.storeBytesInUse)
        response.leader = status.leaderID
        response.raftIndex = status.chosenSlot
        response.raftTerm = status.ballotRound
        response.raftAppliedIndex = status.appliedSlot
        response.isLearner = status.isLearner
        if status.leaderID == 0 { response.errors.append(EtcdFault.noLeader.message) }
        for alarm in status.alarms {
            response.errors.append("memberID:\(alarm.member) alarm:\(alarm.kind.name) ")
        }
        try respond(response, revision: status.revision)
    }

    // MARK: Alarms

    private func onAlarm(_ request: EtcdAlarmRequest) throws(EtcdFault) {
        switch request.action {
        case .get:
            readLinearizably(
                .other { call, reader in
                    let alarms = try reader.ledger.alarms().filter { alarm in
                        request.alarm == .none || alarm.kind.wire == request.alarm
                    }
                    try call.respond(alarms, revision: try reader.revision())
                })
        case .activate, .deactivate:
            guard let kind = Alarm.Kind(wire: request.alarm) else {
                // There is nothing to raise or lower.
                return readLocally(
                    .other { call, reader in try call.respond([], revision: try reader.revision()) })
            }
            let alarm = Alarm(member: request.memberID, kind: kind)
            let raised = request.action == .activate
            // Lowering an alarm that was not raised answers with no alarm.
            let isNews = raised || endpoint.refreshStatus().alarms.contains(alarm)
            let command = LedgerCommand.setAlarm(alarm, raised: raised)
            submit(.command(command.command)) { call, answer throws(EtcdFault) in
                guard case .outcome(LedgerOutcome.done(let revision), _) = answer else {
                    throw EtcdFault(.internalError, "etcdserver: unexpected answer \(answer)")
                }
                try call.respond(isNews ? [alarm] : [], revision: revision)
            }
        case .UNRECOGNIZED: throw .unknownMethod
        }
    }

    private func respond(_ alarms: [Alarm], revision: Int64) throws(EtcdFault) {
        var response = EtcdAlarmResponse()
        response.alarms = alarms.map { alarm in
            EtcdAlarmMember.with {
                $0.memberID = alarm.member
                $0.alarm = alarm.kind.wire
            }
        }
        try respond(response, revision: revision)
    }

    // MARK: Hashes

    /// Hashing reads the whole store, which would keep the event loop from everything else.
    private func hash<Response: Message>(
        at revision: Int64,
        _ response:
            @escaping @Sendable (
                _ hash: (hash: UInt32, compactRevision: Int64, revision: Int64)
            ) -> Response
    ) {
        let service = endpoint.service
        let call = NIOLoopBound(self, eventLoop: endpoint.eventLoop)
        endpoint.server.reads.submit(for: connection) {
            let result = Result {
                try service.read { view in
                    let reader = KeyValueReader(view)
                    // etcd hashes no revision that is not above the compacted one.
                    if revision > 0, revision <= (try reader.compactRevision()) {
                        throw KeyValueRefusal.compacted
                    }
                    return try reader.hash(at: revision)
                }
            }
            call.eventLoop.execute {
                do {
                    let hash = try result.get()
                    call.value.endpoint.refreshStatus()
                    try call.value.respond(response(hash), revision: hash.revision)
                } catch { call.value.fail(EtcdFault(reading: error)) }
            }
        }
    }

    // MARK: Leadership

    private func onMoveLeader(_ request: EtcdMoveLeaderRequest) throws(EtcdFault) {
        let status = endpoint.refreshStatus()
        guard status.leaderID == status.memberID else { throw .notLeader }
        guard let member = status.members.first(where: { $0.id == request.targetID }), !member.isLearner
        else { throw .badTransferee }
        guard request.targetID != status.leaderID else {
            return try respond(EtcdMoveLeaderResponse(), revision: nil)
        }
        submit(.moveLeader(to: request.targetID)) { call, _ throws(EtcdFault) in
            try call.respond(EtcdMoveLeaderResponse(), revision: nil)
        }
    }

    // MARK: Downgrade

    /// Says which version an etcd of ours could be taken back to; it never is.
    private func onDowngrade(_ request: EtcdDowngradeRequest) throws(EtcdFault) {
        switch request.action {
        case .validate, .enable:
            let parts = request.version.split(separator: ".", omittingEmptySubsequences: false)
            let numbers = parts.compactMap { UInt($0) }
            guard parts.count == numbers.count, 2...3 ~= parts.count else {
                throw .wrongDowngradeVersionFormat
            }
            // The target is one minor version below ours.
            guard numbers[0] == 3, numbers[1] == 4 else { throw .invalidDowngradeVersion }
            guard request.action == .validate else { throw .unimplemented("downgrading a cluster") }
            try respond(
                EtcdDowngradeResponse.with { $0.version = EtcdServer.clusterVersion },
                revision: endpoint.refreshStatus().revision)
        case .cancel: throw .noDowngradeInFlight
        case .UNRECOGNIZED: throw .unknownMethod
        }
    }
}

extension Alarm.Kind {
    var name: String {
        switch self {
        case .noSpace: "NOSPACE"
        case .corrupt: "CORRUPT"
        }
    }

    var wire: EtcdAlarmType {
        switch self {
        case .noSpace: .nospace
        case .corrupt: .corrupt
        }
    }

    init?(wire: EtcdAlarmType) {
        switch wire {
        case .nospace: self = .noSpace
        case .corrupt: self = .corrupt
        default: return nil
        }
    }
}
