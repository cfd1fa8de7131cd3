import Coordination
import GRPC

/// An answer that is an error. Clients of etcd match on the text first and on the code second, so both are
/// etcd's to the letter.
struct EtcdFault: Error, Hashable {
    let code: GRPCStatus.Code
    let message: String

    init(_ code: GRPCStatus.Code, _ message: String) {
        self.code = code
        self.message = message
    }

    private static func etcd(_ code: GRPCStatus.Code, _ text: String) -> EtcdFault {
        EtcdFault(code, "etcdserver: " + text)
    }

    var status: GRPCStatus { GRPCStatus(code, message) }

    // Key-value
    static let keyNotProvided = etcd(.invalidArgument, "key is not provided")
    static let keyNotFound = etcd(.invalidArgument, "key not found")
    static let valueProvided = etcd(.invalidArgument, "value is provided")
    static let leaseProvided = etcd(.invalidArgument, "lease is provided")
    static let tooManyOperations = etcd(.invalidArgument, "too many operations in txn request")
    static let duplicateKey = etcd(.invalidArgument, "duplicate key given in txn request")
    static let invalidSortOption = etcd(.invalidArgument, "invalid sort option")
    static let requestTooLarge = etcd(.invalidArgument, "request is too large")
    static let compacted = etcd(.outOfRange, "mvcc: required revision has been compacted")
    static let futureRevision = etcd(.outOfRange, "mvcc: required revision is a future revision")
    static let noSpace = etcd(.resourceExhausted, "mvcc: database space exceeded")

    // Leases
    static let leaseNotFound = etcd(.notFound, "requested lease not found")
    static let leaseExists = etcd(.failedPrecondition, "lease already exists")
    static let leaseTooLong = etcd(.outOfRange, "too large lease TTL")

    // Cluster
    static let memberNotFound = etcd(.notFound, "member not found")
    static let memberURLsInvalid = etcd(.invalidArgument, "given member URLs are invalid")
    static let memberNotLearner = etcd(.failedPrecondition, "can only promote a learner member")
    static let peerURLsExist = etcd(.failedPrecondition, "Peer URLs already exists")

    // Availability
    static let noLeader = etcd(.unavailable, "no leader")
    static let leaderChanged = etcd(.unavailable, "leader changed")
    static let notLeader = etcd(.failedPrecondition, "not leader")
    static let badTransferee = etcd(.failedPrecondition, "bad leader transferee")
    static let stopped = etcd(.unavailable, "server stopped")
    static let timedOut = etcd(.unavailable, "request timed out")
    static let timedOutLeaderFailure = etcd(
        .unavailable, "request timed out, possibly due to previous leader failure")
    static let timedOutConnectionLost = etcd(
        .unavailable, "request timed out, possibly due to connection lost")
    static let tooManyRequests = etcd(.resourceExhausted, "too many requests")
    static let unsupportedForLearner = etcd(.unavailable, "rpc not supported for learner")
    static let notUnderstoodByAll = etcd(
        .unavailable, "not all members understand this request yet, the cluster is being upgraded")
    static let corrupt = etcd(.dataLoss, "corrupt cluster")

    // Auth
    static let authNotEnabled = etcd(.failedPrecondition, "authentication is not enabled")
    static let rootUserMissing = etcd(.failedPrecondition, "root user does not exist")
    static let userNameEmpty = etcd(.invalidArgument, "user name is empty")
    static let userNotFound = etcd(.failedPrecondition, "user name not found")
    static let roleNameEmpty = etcd(.invalidArgument, "role name is empty")
    static let roleNotFound = etcd(.failedPrecondition, "role name not found")
    static let permissionNotGiven = etcd(.invalidArgument, "permission not given")

    // Maintenance
    static let wrongDowngradeVersionFormat = etcd(
        .invalidArgument, "wrong downgrade target version format")
    static let invalidDowngradeVersion = etcd(.invalidArgument, "invalid downgrade target version")
    static let noDowngradeInFlight = etcd(.failedPrecondition, "no inflight downgrade job")
    static let unknownMethod = etcd(.unknown, "unknown method")

    /// A call that exists and that this server does not carry out.
    static func unimplemented(_ what: String) -> EtcdFault {
        etcd(.unimplemented, what + " is not supported")
    }

    static func malformed(_ error: MalformedMessage) -> EtcdFault {
        EtcdFault(.internalError, "grpc: error unmarshalling request: " + error.reason)
    }
}

extension EtcdFault {
    init(_ error: ServiceError) {
        switch error {
        case .noLeader: self = .noLeader
        case .leaderChanged: self = .leaderChanged
        case .timedOut: self = .timedOut
        case .timedOutLeaderFailure: self = .timedOutLeaderFailure
        case .timedOutConnectionLost: self = .timedOutConnectionLost
        case .tooManyRequests: self = .tooManyRequests
        case .notLeader: self = .notLeader
        case .unsuitableTransferee: self = .badTransferee
        case .stopped: self = .stopped
        case .corrupt: self = .corrupt
        case .unsupportedForLearner: self = .unsupportedForLearner
        case .notUnderstoodByAll: self = .notUnderstoodByAll
        case .internalFailure(let message): self.init(.unknown, message)
        }
    }

    init(_ refusal: KeyValueRefusal) {
        switch refusal {
        case .compacted: self = .compacted
        case .futureRevision: self = .futureRevision
        case .keyNotFound: self = .keyNotFound
        case .valueProvided: self = .valueProvided
        case .leaseProvided: self = .leaseProvided
        case .duplicateKey: self = .duplicateKey
        case .tooManyOperations: self = .tooManyOperations
        case .emptyKey: self = .keyNotProvided
        case .ledger(let refusal): self.init(refusal)
        case .unknownCommand: self.init(.unimplemented, "etcdserver: command of a later version")
        }
    }

    init(_ refusal: LedgerRefusal) {
        switch refusal {
        case .leaseNotFound: self = .leaseNotFound
        case .leaseExists: self = .leaseExists
        case .leaseTooLong: self = .leaseTooLong
        case .noSpace: self = .noSpace
        case .corrupt: self = .corrupt
        }
    }

    /// What a local read threw.
    init(reading error: any Error) {
        switch error {
        case let fault as EtcdFault: self = fault
        case let refusal as KeyValueRefusal: self.init(refusal)
        case let refusal as ServiceError: self.init(refusal)
        case let error as StoreError where error.code == .full: self = .noSpace
        case let error as StoreError: self.init(.unknown, error.message)
        default: self.init(.unknown, String(describing: error))
        }
    }
}
