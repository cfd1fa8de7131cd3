import Automata
import Paxos

extension [UInt8] {
    mutating func write(_ process: ProcessID) { write(fixed: process.rawValue) }
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

extension ByteReader {
    mutating func process() throws(WireError) -> ProcessID { ProcessID(try fixed()) }

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
