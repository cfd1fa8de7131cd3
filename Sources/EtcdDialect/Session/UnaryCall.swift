import Coordination
import GRPC
import NIOCore
import SwiftProtobuf

/// A call with one request and one response.
final class UnaryCall: EtcdCall {
    /// What the call waits for.
    enum Stage {
        case request
        /// The outcome of a command, which is all that the response needs.
        case outcome
        /// As `outcome`, and then until this member has removed what was compacted before `revision`.
        case compaction(before: Int64)
        /// That a local read sees everything applied anywhere before the request.
        case read(Read)
        /// Anything else.
        case answer((UnaryCall, ServiceAnswer) throws(EtcdFault) -> Void)
        case nothing
    }

    enum Read {
        case range(RangeQuery)
        case transaction(KeyValueTransaction)
        case other((UnaryCall, KeyValueReader) throws -> Void)
    }

    private var stage = Stage.request
    /// The answer, when it is too large for the event loop.
    private var largeRead: LargeRead?

    override func onMessage(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        // A second message of a unary call is the client's mistake; the first is answered.
        guard case .request = stage else { return }
        stage = .nothing
        try endpoint.checkLearner(method)
        switch method {
        case .range, .put, .deleteRange, .txn, .compact: try onKeyValueRequest(message)
        case .leaseGrant, .leaseRevoke, .leaseTimeToLive, .leaseLeases: try onLeaseRequest(message)
        case .memberAdd, .memberRemove, .memberUpdate, .memberList, .memberPromote:
            try onClusterRequest(message)
        case .alarm, .status, .defragment, .hash, .hashKV, .moveLeader, .downgrade:
            try onMaintenanceRequest(message)
        case .authEnable, .authDisable, .authStatus, .authenticate, .userAdd, .userGet, .userList,
            .userDelete, .userChangePassword, .userGrantRole, .userRevokeRole, .roleAdd, .roleGet, .roleList,
            .roleDelete, .roleGrantPermission, .roleRevokePermission:
            try onAuthRequest(message)
        case .healthCheck: try onHealthRequest(message)
        case .watch, .leaseKeepAlive, .snapshot, .healthWatch:
            preconditionFailure("\(method) is not unary")
        }
    }

    override func halfClosed() {
        if case .request = stage { fail(EtcdFault(.internalError, "EOF")) }
    }

    override func drained() { largeRead?.drained() }

    override func onEnd() { largeRead?.close() }

    // MARK: Asking the service

    func submit(_ command: KeyValueCommand, then stage: Stage = .outcome) {
        self.stage = stage
        endpoint.submit(command, for: self)
    }

    func submit(_ command: LedgerCommand) {
        stage = .outcome
        endpoint.submit(command, for: self)
    }

    func submit(
        _ request: ServiceRequest, then body: @escaping (UnaryCall, ServiceAnswer) throws(EtcdFault) -> Void
    ) {
        stage = .answer(body)
        endpoint.submit(request, for: self)
    }

    /// Reads what this member has, together with other reads.
    func readLocally(_ read: Read) {
        stage = .read(read)
        endpoint.addRead(self)
    }

    /// Reads what every member has.
    func readLinearizably(_ read: Read) {
        stage = .read(read)
        endpoint.submit(.linearizableRead, for: self)
    }

    // MARK: Hearing from the service

    override func onAnswer(_ answer: Result<ServiceAnswer, ServiceError>, tag: Int) throws(EtcdFault) {
        let answer: ServiceAnswer =
            switch answer {
            case .success(let answer): answer
            case .failure(let error): throw EtcdFault(error)
            }
        // The most frequent of all, without a copy of what is to be read.
        if case .ready = answer, case .read = stage { return endpoint.addRead(self) }
        switch (stage, answer) {
        case (.outcome, .outcome(let outcome as KeyValueOutcome, _)):
            if outcome.isLarge { return respondInBackground(outcome) }
            try respond { writer, header throws(EtcdFault) in try writer.outcome(outcome, header: header) }
        case (.outcome, .outcome(let outcome as LedgerOutcome, _)):
            try respond { writer, header throws(EtcdFault) in try writer.outcome(outcome, header: header) }
        case (.compaction(let target), .outcome(let outcome as KeyValueOutcome, _)):
            guard case .compacted(let revision) = outcome else {
                try respond { writer, header throws(EtcdFault) in
                    try writer.outcome(outcome, header: header)
                }
                return
            }
            submit(.compactionFinished(target)) { call, _ throws(EtcdFault) in
                try call.respond { writer, header throws(EtcdFault) in
                    writer.header(header, revision: revision)
                }
            }
        case (.answer(let body), _): try body(self, answer)
        default: throw EtcdFault(.internalError, "etcdserver: unexpected answer \(answer)")
        }
    }

    /// The endpoint has a view of the store in which this call may read, as much as the reader allows; a larger
    /// read is begun anew elsewhere.
    func onView(_ reader: KeyValueReader) {
        guard !isOver, case .read(let read) = exchange(&stage, with: .nothing) else { return }
        do {
            switch read {
            case .range(let query):
                let result = try reader.range(query)
                try respond { writer, header throws(EtcdFault) in
                    writer.header(header, revision: result.revision)
                    writer.rangeResult(result)
                }
            case .transaction(let transaction):
                let outcome = try reader.readOnly(transaction)
                let revision = try reader.revision()
                try respond { writer, header throws(EtcdFault) in
                    writer.header(header, revision: revision)
                    writer.transactionResult(outcome)
                }
            case .other(let body): try body(self, reader)
            }
        } catch is WorkAllowance.Spent {
            let large = LargeRead(self)
            largeRead = large
            large.start(read)
        } catch { fail(EtcdFault(reading: error)) }
    }

    // MARK: Answering

    func respond(
        _ write: (inout ProtobufWriter, ResponseHeader) throws(EtcdFault) -> Void
    ) throws(EtcdFault) {
        let header = endpoint.header
        try send { writer throws(EtcdFault) in try write(&writer, header) }
        finish()
    }

    /// The response is a header, unless `revision` is nil, and the other fields of `message`.
    func respond(_ message: some Message, revision: Int64?) throws(EtcdFault) {
        let encoded: [UInt8]
        do { encoded = try message.serializedBytes() } catch {
            throw EtcdFault(.internalError, "\(error)")
        }
        try respond { writer, header throws(EtcdFault) in
            if let revision { writer.header(header, revision: revision) }
            writer.append(encoded)
        }
    }

    /// Writing the response would keep the event loop too long.
    private func respondInBackground(_ outcome: KeyValueOutcome) {
        stage = .nothing
        let header = endpoint.header
        let kept = NIOLoopBound(self, eventLoop: endpoint.eventLoop)
        endpoint.server.reads.submit(for: connection) {
            let message = Result {
                var writer = ProtobufWriter()
                try writer.outcome(outcome, header: header)
                return writer.takeBytes()
            }
            kept.eventLoop.execute {
                let call = kept.value
                do {
                    let message = try message.get()
                    call.begin(byteCount: message.count)
                    call.append(message)
                    call.finish()
                } catch { call.fail(EtcdFault(reading: error)) }
            }
        }
    }

    func decode<Request: Message>(
        _: Request.Type, _ message: UnsafeRawBufferPointer
    ) throws(EtcdFault) -> Request {
        do { return try Request(serializedBytes: [UInt8](message)) } catch {
            throw .malformed(.unexpectedEnd)
        }
    }

    /// Refuses what is too long to stand in the log.
    func checkSize(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        // etcd counts the request in its envelope, which is 17 bytes longer.
        guard message.count + 17 <= endpoint.limits.requestBytes else { throw .requestTooLarge }
    }
}

extension KeyValueOutcome {
    /// Whether it holds so much that an event loop should not write it.
    fileprivate var isLarge: Bool { weight > 256 }

    /// Pairs and KiB of their values, about.
    private var weight: Int {
        switch self {
        case .put(let previous, _): previous?.weight ?? 0
        case .deleted(_, let previous, _): previous.reduce(0) { $0 + $1.weight }
        case .transaction(let outcome, _): outcome.weight
        case .compacted, .refused: 0
        }
    }
}

extension KeyValueTransactionOutcome {
    fileprivate var weight: Int {
        answers.reduce(0) { sum, answer in
            switch answer {
            case .range(let result): sum + result.keyValues.reduce(0) { $0 + $1.weight }
            case .put(let previous, _): sum + (previous?.weight ?? 0)
            case .deleted(_, let previous, _): sum + previous.reduce(0) { $0 + $1.weight }
            case .transaction(let outcome, _): sum + outcome.weight
            }
        }
    }
}

extension KeyValue {
    fileprivate var weight: Int { 1 + (key.count + value.count) >> 10 }
}
