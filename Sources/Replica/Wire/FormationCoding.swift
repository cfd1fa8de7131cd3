import Automata
import Paxos

private enum FormationTag {
    static let question: UInt8 = 1
    static let empty: UInt8 = 2
    static let formed: UInt8 = 3
}

extension FormationMessage {
    /// Appends the wire form.
    public func encode(into bytes: inout [UInt8]) {
        bytes.write(byte: wireVersion)
        switch self {
        case .question(let disk):
            bytes.write(byte: FormationTag.question)
            bytes.write(disk)
        case .empty(let disk, let asking):
            bytes.write(byte: FormationTag.empty)
            bytes.write(disk)
            bytes.write(asking)
        case .formed(let formation, let asking):
            bytes.write(byte: FormationTag.formed)
            bytes.write(asking)
            formation.write(into: &bytes)
        }
    }

    /// Throws `WireError`.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        var reader = WireReader(bytes)
        try reader.version()
        switch try reader.byte() {
        case FormationTag.question:
            self = .question(disk: DiskID(try reader.littleEndian()))
        case FormationTag.empty:
            let disk = DiskID(try reader.littleEndian())
            self = .empty(disk: disk, asking: DiskID(try reader.littleEndian()))
        case FormationTag.formed:
            let asking = DiskID(try reader.littleEndian())
            self = .formed(try reader.formation(), asking: asking)
        case let tag: throw .unknownTag(tag)
        }
        try reader.end()
    }
}

extension Formation {
    /// Appends the form in which hosts may store it.
    public func encode(into bytes: inout [UInt8]) {
        bytes.write(byte: wireVersion)
        write(into: &bytes)
    }

    /// Throws `WireError`.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        var reader = WireReader(bytes)
        try reader.version()
        self = try reader.formation()
        try reader.end()
    }

    fileprivate func write(into bytes: inout [UInt8]) {
        bytes.appendLittleEndian(nonce)
        bytes.write(configuration)
    }
}

extension WireReader {
    fileprivate mutating func formation() throws(WireError) -> Formation {
        let nonce: UInt64 = try littleEndian()
        return Formation(nonce: nonce, configuration: try configuration())
    }
}
