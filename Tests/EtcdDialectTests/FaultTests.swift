import Coordination
import GRPC
import Testing

@testable import EtcdDialect

@Suite("Errors") struct FaultTests {
    @Test("what the service cannot do is told with etcd's code and words")
    func serviceErrors() {
        let table: [(ServiceError, GRPCStatus.Code, String)] = [
            (.noLeader, .unavailable, "etcdserver: no leader"),
            (.leaderChanged, .unavailable, "etcdserver: leader changed"),
            (.timedOut, .unavailable, "etcdserver: request timed out"),
            (
                .timedOutLeaderFailure, .unavailable,
                "etcdserver: request timed out, possibly due to previous leader failure"
            ),
            (
                .timedOutConnectionLost, .unavailable,
                "etcdserver: request timed out, possibly due to connection lost"
            ),
            (.tooManyRequests, .resourceExhausted, "etcdserver: too many requests"),
            (.notLeader, .failedPrecondition, "etcdserver: not leader"),
            (.unsuitableTransferee, .failedPrecondition, "etcdserver: bad leader transferee"),
            (.stopped, .unavailable, "etcdserver: server stopped"),
            (.corrupt, .dataLoss, "etcdserver: corrupt cluster"),
            (.unsupportedForLearner, .unavailable, "etcdserver: rpc not supported for learner"),
        ]
        for (error, code, text) in table { #expect(EtcdFault(error) == EtcdFault(code, text)) }
    }

    @Test("what the store refuses is told with etcd's code and words")
    func refusals() {
        let table: [(KeyValueRefusal, GRPCStatus.Code, String)] = [
            (.compacted, .outOfRange, "etcdserver: mvcc: required revision has been compacted"),
            (.futureRevision, .outOfRange, "etcdserver: mvcc: required revision is a future revision"),
            (.leaseNotFound, .notFound, "etcdserver: requested lease not found"),
            (.ledger(.leaseExists), .failedPrecondition, "etcdserver: lease already exists"),
            (.ledger(.leaseTooLong), .outOfRange, "etcdserver: too large lease TTL"),
            (.keyNotFound, .invalidArgument, "etcdserver: key not found"),
            (.valueProvided, .invalidArgument, "etcdserver: value is provided"),
            (.leaseProvided, .invalidArgument, "etcdserver: lease is provided"),
            (.duplicateKey, .invalidArgument, "etcdserver: duplicate key given in txn request"),
            (.tooManyOperations, .invalidArgument, "etcdserver: too many operations in txn request"),
            (.emptyKey, .invalidArgument, "etcdserver: key is not provided"),
            (.noSpace, .resourceExhausted, "etcdserver: mvcc: database space exceeded"),
            (.corrupt, .dataLoss, "etcdserver: corrupt cluster"),
        ]
        for (refusal, code, text) in table { #expect(EtcdFault(refusal) == EtcdFault(code, text)) }
    }

    @Test("a store without room is told like one whose quota is used up")
    func fullStore() {
        #expect(EtcdFault(reading: StoreError(.full, "no room")) == .noSpace)
        #expect(EtcdFault(reading: KeyValueRefusal.compacted) == .compacted)
    }

    @Test("the gateway's status follows from the code")
    func httpStatus() {
        let table: [(GRPCStatus.Code, UInt)] = [
            (.invalidArgument, 400), (.failedPrecondition, 400), (.outOfRange, 400), (.notFound, 404),
            (.permissionDenied, 403), (.unauthenticated, 401), (.resourceExhausted, 429), (.unavailable, 503),
            (.deadlineExceeded, 504), (.unimplemented, 501), (.unknown, 500), (.dataLoss, 500),
        ]
        for (code, status) in table { #expect(GatewayError.httpStatus(code).code == status) }
    }

    @Test("an error in JSON has the fields of all versions of etcd, and any text is quoted")
    func json() {
        let error = GatewayError.unary(GRPCStatus(.notFound, "a \"b\"\n\\\u{1}é"))
        #expect(
            String(decoding: error, as: UTF8.self)
                == #"{"error":"a \"b\"\n\\\u0001é","code":5,"message":"a \"b\"\n\\\u0001é"}"#)
        let stream = String(decoding: GatewayError.stream(GRPCStatus(.unavailable, "x")), as: UTF8.self)
        #expect(
            stream
                == #"{"error":{"grpc_code":14,"http_code":503,"message":"x","http_status":"Service Unavailable","code":14}}"#
        )
    }
}
