import Coordination

/// What stands in front of every response: who answered, and how far the store was.
struct ResponseHeader: Hashable {
    var clusterID: UInt64 = 0
    var memberID: UInt64 = 0
    /// etcd calls it the raft term: a number that grows with every change of leader and never falls.
    var term: UInt64 = 0

    init() {}

    init(_ status: ServiceStatus) {
        clusterID = status.clusterID
        memberID = status.memberID
        term = status.ballotRound
    }
}

extension ProtobufWriter {
    /// Field 1 of every response.
    mutating func header(_ header: ResponseHeader, revision: Int64) {
        message(field: 1) { writer in
            writer.uint64(header.clusterID, field: 1)
            writer.uint64(header.memberID, field: 2)
            writer.int64(revision, field: 3)
            writer.uint64(header.term, field: 4)
        }
    }

    /// The header of an operation's answer within a transaction names the revision alone.
    mutating func revisionHeader(_ revision: Int64) {
        message(field: 1) { $0.int64(revision, field: 3) }
    }
}
