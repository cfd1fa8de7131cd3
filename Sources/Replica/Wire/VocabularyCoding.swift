import Automata
import Paxos

typealias WireReader = ByteReader<WireError>

extension [UInt8] {
    mutating func write(byte: UInt8) { append(byte) }
    mutating func write(_ value: UInt64) { appendNumber(value) }
    mutating func write(count: Int) { appendNumber(UInt64(count)) }
    mutating func write(flag: Bool) { append(flag ? 1 : 0) }

    mutating func write(_ process: ProcessID) { appendLittleEndian(process.rawValue) }
    mutating func write(_ slot: Slot) { write(slot.rawValue) }

    mutating func write(_ ballot: Ballot) {
        write(ballot.round)
        write(ballot.process)
    }

    mutating func write(_ id: ProposalID) {
        write(id.process)
        write(id.number)
    }
}

extension WireReader {
    mutating func flag() throws(WireError) -> Bool {
        switch try byte() {
        case 0: false
        case 1: true
        case let tag: throw .unknownTag(tag)
        }
    }

    mutating func process() throws(WireError) -> ProcessID { ProcessID(try littleEndian()) }

    /// A slot far enough from the end of the numbers that adding a count to it cannot overflow.
    mutating func slot() throws(WireError) -> Slot {
        let value = try number()
        guard value < 1 << 62 else { throw .malformed }
        return Slot(value)
    }

    mutating func ballot() throws(WireError) -> Ballot {
        let round = try number()
        guard round < 1 << 62 else { throw .malformed }
        return Ballot(round: round, process: try process())
    }

    mutating func proposalID() throws(WireError) -> ProposalID {
        ProposalID(process: try process(), number: try number())
    }
}
