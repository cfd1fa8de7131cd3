import Automata
import Paxos

/// Of a sequence of entries: most payloads carry the id that follows the one before, which takes no bytes.
private enum EntryTag {
    static let noop: UInt8 = 0
    static let following: UInt8 = 1
    static let payload: UInt8 = 2
    static let configuration: UInt8 = 3
}

extension [UInt8] {
    mutating func write(_ entries: [Entry]) {
        write(count: entries.count)
        var expected: ProposalID?
        for entry in entries {
            switch entry {
            case .noop:
                write(byte: EntryTag.noop)
            case .payload(let id, let payload):
                write(id, after: expected)
                appendString(payload.bytes)
                expected = id.next
            case .configuration(let id, let configuration):
                write(byte: EntryTag.configuration)
                write(id)
                write(configuration)
            }
        }
    }

    mutating func write(_ proposals: [Proposal]) {
        write(count: proposals.count)
        var expected: ProposalID?
        for proposal in proposals {
            write(proposal.id, after: expected)
            appendString(proposal.payload.bytes)
            expected = proposal.id.next
        }
    }

    private mutating func write(_ id: ProposalID, after expected: ProposalID?) {
        if id == expected {
            write(byte: EntryTag.following)
        } else {
            write(byte: EntryTag.payload)
            write(id)
        }
    }
}

extension WireReader {
    mutating func entries() throws(WireError) -> [Entry] {
        let count = try count()
        var entries: [Entry] = []
        entries.reserveCapacity(min(count, 1024))
        var expected: ProposalID?
        for _ in 0..<count {
            switch try byte() {
            case EntryTag.noop:
                entries.append(.noop)
            case EntryTag.following:
                guard let id = expected else { throw .malformed }
                entries.append(.payload(id, Payload(try string())))
                expected = id.next
            case EntryTag.payload:
                let id = try proposalID()
                entries.append(.payload(id, Payload(try string())))
                expected = id.next
            case EntryTag.configuration:
                let id = try proposalID()
                entries.append(.configuration(id, try configuration()))
            case let tag:
                throw .unknownTag(tag)
            }
        }
        return entries
    }

    mutating func proposals() throws(WireError) -> [Proposal] {
        var proposals: [Proposal] = []
        var expected: ProposalID?
        for _ in 0..<(try count()) {
            let id: ProposalID
            switch try byte() {
            case EntryTag.following:
                guard let next = expected else { throw .malformed }
                id = next
            case EntryTag.payload:
                id = try proposalID()
            case let tag:
                throw .unknownTag(tag)
            }
            proposals.append(Proposal(id: id, payload: Payload(try string())))
            expected = id.next
        }
        return proposals
    }
}

extension ProposalID {
    fileprivate var next: ProposalID { ProposalID(process: process, number: number &+ 1) }
}
