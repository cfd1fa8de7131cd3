/// Why bytes are not a protobuf message.
struct MalformedMessage: Error, Hashable {
    let reason: String

    static let unexpectedEnd = MalformedMessage(reason: "unexpected EOF")
    static let overlongVarint = MalformedMessage(reason: "proto: integer overflow")
    static let illegalTag = MalformedMessage(reason: "proto: illegal tag 0 (wire type 0)")

    static func wrongWireType(_ type: ProtobufWireType, field: Int) -> MalformedMessage {
        MalformedMessage(reason: "proto: wrong wireType = \(type.rawValue) for field \(field)")
    }
}

enum ProtobufWireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case startGroup = 3
    case endGroup = 4
    case fixed32 = 5
}

/// Reads the fields of one message, in the order in which they stand, from bytes that somebody else owns.
///
/// The calls that a server answers most are read with this instead of the generated types, which would copy
/// every key and value once more. Whoever reads loops over `nextField` and takes or skips what it names.
struct ProtobufReader {
    private var position: UnsafeRawPointer
    private let end: UnsafeRawPointer
    /// Of the field that `nextField` named last.
    private(set) var wireType = ProtobufWireType.varint
    private var field = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        // An empty buffer may have no address; any will do, as nothing is read from it.
        let start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
        position = start
        end = start + bytes.count
    }

    /// The number of the next field; nil at the end of the message.
    mutating func nextField() throws(MalformedMessage) -> Int? {
        guard position < end else { return nil }
        let tag = try rawVarint()
        guard let type = ProtobufWireType(rawValue: UInt8(truncatingIfNeeded: tag & 7)) else {
            throw MalformedMessage(reason: "proto: illegal wireType \(tag & 7)")
        }
        guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw .illegalTag }
        field = Int(tag >> 3)
        wireType = type
        return field
    }

    mutating func uint64() throws(MalformedMessage) -> UInt64 {
        guard wireType == .varint else { throw .wrongWireType(wireType, field: field) }
        return try rawVarint()
    }

    mutating func int64() throws(MalformedMessage) -> Int64 { Int64(bitPattern: try uint64()) }

    mutating func bool() throws(MalformedMessage) -> Bool { try uint64() != 0 }

    mutating func enumeration() throws(MalformedMessage) -> Int32 { Int32(truncatingIfNeeded: try uint64()) }

    /// The content of a string, bytes or message field.
    mutating func content() throws(MalformedMessage) -> UnsafeRawBufferPointer {
        guard wireType == .bytes else { throw .wrongWireType(wireType, field: field) }
        let length = try rawVarint()
        guard length <= UInt64(end - position) else { throw .unexpectedEnd }
        let content = UnsafeRawBufferPointer(start: position, count: Int(length))
        position += Int(length)
        return content
    }

    mutating func bytes() throws(MalformedMessage) -> [UInt8] { [UInt8](try content()) }

    /// Passes over a field that the reader does not know.
    mutating func skip() throws(MalformedMessage) {
        switch wireType {
        case .varint: _ = try rawVarint()
        case .fixed64: try advance(8)
        case .fixed32: try advance(4)
        case .bytes: _ = try content()
        case .startGroup: try skipGroup(field)
        case .endGroup: throw MalformedMessage(reason: "proto: unexpected end of group")
        }
    }

    private mutating func skipGroup(_ group: Int) throws(MalformedMessage) {
        var open = [group]
        while let innermost = open.last {
            guard let inner = try nextField() else { throw .unexpectedEnd }
            switch wireType {
            case .startGroup: open.append(inner)
            case .endGroup:
                guard inner == innermost else {
                    throw MalformedMessage(reason: "proto: unexpected end of group")
                }
                open.removeLast()
            default: try skip()
            }
        }
    }

    private mutating func advance(_ count: Int) throws(MalformedMessage) {
        guard end - position >= count else { throw .unexpectedEnd }
        position += count
    }

    var isAtEnd: Bool { position >= end }

    mutating func rawVarint() throws(MalformedMessage) -> UInt64 {
        guard position < end else { throw .unexpectedEnd }
        let first = position.load(as: UInt8.self)
        position += 1
        if first < 0x80 { return UInt64(first) }
        var value = UInt64(first & 0x7f)
        var shift: UInt64 = 7
        while true {
            guard position < end else { throw .unexpectedEnd }
            let byte = position.load(as: UInt8.self)
            position += 1
            value |= UInt64(byte & 0x7f) &<< shift
            if byte < 0x80 { return value }
            shift += 7
            guard shift < 64 else { throw .overlongVarint }
        }
    }
}
