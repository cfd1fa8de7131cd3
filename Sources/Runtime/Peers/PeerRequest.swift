import Automata
import Coordination

/// What a follower asks of the leader beside the replicated protocol. Requests and answers may be lost with
/// the connection; the asking side asks again until its time is over.
struct PeerRequest: Hashable, Sendable {
    enum Subject: Hashable, Sendable {
        case renewLease(LeaseID)
        case leaseTimeToLive(LeaseID)
    }

    /// Chosen by the asking side, unique there.
    var number: UInt64
    var subject: Subject

    func encode(into bytes: inout [UInt8]) {
        bytes.appendInteger(number)
        switch subject {
        case .renewLease(let lease):
            bytes.append(1)
            bytes.appendInteger(lease.rawValue)
        case .leaseTimeToLive(let lease):
            bytes.append(2)
            bytes.appendInteger(lease.rawValue)
        }
    }

    init(number: UInt64, subject: Subject) {
        self.number = number
        self.subject = subject
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = PeerBodyReader(bytes)
        number = try reader.integer()
        switch try reader.integer(UInt8.self) {
        case 1: subject = .renewLease(LeaseID(try reader.integer()))
        case 2: subject = .leaseTimeToLive(LeaseID(try reader.integer()))
        case let other: throw PeerProtocolError("a request of unknown subject \(other)")
        }
        try reader.expectEnd()
    }
}

struct PeerAnswer: Hashable, Sendable {
    enum Content: Hashable, Sendable {
        case leaseRenewed(seconds: Int64)
        case leaseTimeToLive(remaining: Int64, granted: Int64)
        /// The asked process does not lead: ask another.
        case notLeader
    }

    var number: UInt64
    var content: Content

    func encode(into bytes: inout [UInt8]) {
        bytes.appendInteger(number)
        switch content {
        case .leaseRenewed(let seconds):
            bytes.append(1)
            bytes.appendInteger(seconds)
        case .leaseTimeToLive(let remaining, let granted):
            bytes.append(2)
            bytes.appendInteger(remaining)
            bytes.appendInteger(granted)
        case .notLeader:
            bytes.append(3)
        }
    }

    init(number: UInt64, content: Content) {
        self.number = number
        self.content = content
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = PeerBodyReader(bytes)
        number = try reader.integer()
        switch try reader.integer(UInt8.self) {
        case 1: content = .leaseRenewed(seconds: try reader.integer())
        case 2:
            content = .leaseTimeToLive(remaining: try reader.integer(), granted: try reader.integer())
        case 3: content = .notLeader
        case let other: throw PeerProtocolError("an answer of unknown content \(other)")
        }
        try reader.expectEnd()
    }
}
