import Automata
import Coordination
import Member

/// What a follower asks of the leader beside the replicated protocol. Requests and answers may be lost with
/// the connection; the asking side asks again until its time is over.
struct PeerRequest: Hashable, Sendable {
    /// Chosen by the asking side, unique there.
    var number: UInt64
    var question: LeaseQuestion

    func encode(into bytes: inout [UInt8]) {
        bytes.appendLittleEndian(number)
        switch question {
        case .renew(let lease):
            bytes.append(1)
            bytes.appendLittleEndian(lease.rawValue)
        case .timeToLive(let lease):
            bytes.append(2)
            bytes.appendLittleEndian(lease.rawValue)
        }
    }

    init(number: UInt64, question: LeaseQuestion) {
        self.number = number
        self.question = question
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = PeerBodyReader(bytes)
        number = try reader.littleEndian()
        switch try reader.byte() {
        case 1: question = .renew(LeaseID(try reader.littleEndian()))
        case 2: question = .timeToLive(LeaseID(try reader.littleEndian()))
        case let other: throw PeerProtocolError("a request of unknown subject \(other)")
        }
        try reader.end()
    }
}

struct PeerAnswer: Hashable, Sendable {
    var number: UInt64
    var content: LeaseAnswer

    func encode(into bytes: inout [UInt8]) {
        bytes.appendLittleEndian(number)
        switch content {
        case .renewed(let seconds):
            bytes.append(1)
            bytes.appendLittleEndian(seconds)
        case .timeToLive(let remaining, let granted):
            bytes.append(2)
            bytes.appendLittleEndian(remaining)
            bytes.appendLittleEndian(granted)
        case .notLeader:
            bytes.append(3)
        }
    }

    init(number: UInt64, content: LeaseAnswer) {
        self.number = number
        self.content = content
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = PeerBodyReader(bytes)
        number = try reader.littleEndian()
        switch try reader.byte() {
        case 1: content = .renewed(seconds: try reader.littleEndian())
        case 2:
            content = .timeToLive(remaining: try reader.littleEndian(), granted: try reader.littleEndian())
        case 3: content = .notLeader
        case let other: throw PeerProtocolError("an answer of unknown content \(other)")
        }
        try reader.end()
    }
}
