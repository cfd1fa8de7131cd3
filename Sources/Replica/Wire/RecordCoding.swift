import Automata
import Paxos

/// The first byte of every record and message.
let wireVersion: UInt8 = 1

extension WireReader {
    mutating func version() throws(WireError) {
        let version = try byte()
        guard version == wireVersion else { throw .unknownVersion(version) }
    }
}

private enum RecordTag {
    static let started: UInt8 = 1
    static let promised: UInt8 = 2
    static let accepted: UInt8 = 3
    static let chosen: UInt8 = 4
    static let floor: UInt8 = 5
}

extension ReplicaRecord {
    /// Appends the stored form.
    public func encode(into bytes: inout [UInt8]) {
        bytes.write(byte: wireVersion)
        switch self {
        case .started(let incarnation, let isMember):
            bytes.write(byte: RecordTag.started)
            bytes.write(incarnation)
            bytes.write(flag: isMember)
        case .promised(let ballot):
            bytes.write(byte: RecordTag.promised)
            bytes.write(ballot)
        case .accepted(let acceptance):
            bytes.write(byte: RecordTag.accepted)
            bytes.write(acceptance.ballot)
            bytes.write(acceptance.first)
            bytes.write(acceptance.chosenUpTo)
            bytes.write(acceptance.entries)
        case .chosen(let slot):
            bytes.write(byte: RecordTag.chosen)
            bytes.write(slot)
        case .floor(let slot):
            bytes.write(byte: RecordTag.floor)
            bytes.write(slot)
        }
    }

    /// Throws `WireError`.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        var reader = WireReader(bytes)
        try reader.version()
        switch try reader.byte() {
        case RecordTag.started:
            let incarnation = try reader.number()
            self = .started(incarnation: incarnation, isMember: try reader.flag())
        case RecordTag.promised:
            self = .promised(try reader.ballot())
        case RecordTag.accepted:
            let ballot = try reader.ballot()
            let first = try reader.slot()
            let chosenUpTo = try reader.slot()
            guard first > .zero else { throw .malformed }
            self = .accepted(
                Acceptance(
                    ballot: ballot, first: first, entries: try reader.entries(), chosenUpTo: chosenUpTo))
        case RecordTag.chosen:
            self = .chosen(upTo: try reader.slot())
        case RecordTag.floor:
            self = .floor(try reader.slot())
        case let tag:
            throw .unknownTag(tag)
        }
        try reader.end()
    }
}
