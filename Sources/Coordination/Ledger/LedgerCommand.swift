/// A command of the ledger's own: what concerns all families.
public enum LedgerCommand: SpaceCommand {
    /// `id` is never 0 here: the dialect picks one where the client left it open. So does it raise `seconds`
    /// to the minimum of the server (`ServiceLimits.minimumLeaseSeconds`), which may differ between members.
    case grantLease(LeaseID, seconds: Int64)
    case revokeLease(LeaseID)
    /// Ends leases whose time is over; unknown ones are passed over. One revision each, as revoked.
    case expireLeases([LeaseID])
    case setAlarm(Alarm, raised: Bool)
    /// A member says how it can be reached; kept by the store so that everybody can list it.
    case publishMember(id: UInt64, name: String, peerURLs: [String], clientURLs: [String])

    public var takesRoom: Bool {
        if case .grantLease = self { return true }
        return false
    }

    /// Whether it is for the cluster itself, and executed whatever alarms are raised.
    var isExempt: Bool {
        switch self {
        case .setAlarm, .publishMember: true
        case .grantLease, .revokeLease, .expireLeases: false
        }
    }
}

/// What a command of the ledger's own did, or why it did nothing.
public enum LedgerOutcome: SpaceOutcome, Hashable {
    case leaseGranted(LeaseID, seconds: Int64, revision: Int64)
    case leaseRevoked(revision: Int64)
    case done(revision: Int64)
    case refused(LedgerRefusal, revision: Int64)

    public init(refused refusal: LedgerRefusal, revision: Int64) {
        self = .refused(refusal, revision: revision)
    }

    public var operation: String? { nil }
}

/// Why the ledger does not execute a command.
public enum LedgerRefusal: Error, Hashable, Sendable {
    case leaseNotFound, leaseExists, leaseTooLong
    /// An alarm is raised that forbids it.
    case noSpace, corrupt
}
