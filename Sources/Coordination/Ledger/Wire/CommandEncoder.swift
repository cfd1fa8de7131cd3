/// Writes the parts of a command: numbers and lengths as base-128 varints, byte strings after their length.
struct CommandEncoder {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func write(_ byte: UInt8) { bytes.append(byte) }

    mutating func write(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func write(_ number: Int64) { write(UInt64(bitPattern: number)) }
    mutating func write(_ number: Int) { write(UInt64(number)) }

    mutating func write(_ string: [UInt8]) {
        write(string.count)
        bytes.append(contentsOf: string)
    }

    mutating func write(_ text: String) { write(Array(text.utf8)) }

    mutating func write<Element>(_ elements: [Element], _ each: (inout CommandEncoder, Element) -> Void) {
        write(elements.count)
        for element in elements { each(&self, element) }
    }
}

/// Reads what `CommandEncoder` wrote, and refuses everything else.
struct CommandDecoder {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    /// The bytes are to live as long as the decoder.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var remaining: Int { bytes.count - offset }

    mutating func byte() throws -> UInt8 {
        guard offset < bytes.count else { throw CommandDecodingError.truncated }
        offset += 1
        return bytes[offset - 1]
    }

    mutating func number() throws -> UInt64 {
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let byte = try byte()
            if shift == 63, byte > 1 { throw CommandDecodingError.malformed }
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
        }
        throw CommandDecodingError.malformed
    }

    mutating func signedNumber() throws -> Int64 { Int64(bitPattern: try number()) }

    /// A count of things that take at least a byte each.
    mutating func count() throws -> Int {
        let count = try number()
        guard count <= UInt64(remaining) else { throw CommandDecodingError.truncated }
        return Int(count)
    }

    mutating func string() throws -> [UInt8] {
        let count = try count()
        offset += count
        return [UInt8](UnsafeRawBufferPointer(rebasing: bytes[(offset - count)..<offset]))
    }

    mutating func text() throws -> String { String(decoding: try string(), as: UTF8.self) }

    mutating func flags(below limit: UInt8) throws -> UInt8 {
        let flags = try byte()
        guard flags < limit else { throw CommandDecodingError.malformed }
        return flags
    }

    mutating func elements<Element>(_ each: (inout CommandDecoder) throws -> Element) throws -> [Element] {
        let count = try count()
        var elements: [Element] = []
        elements.reserveCapacity(min(count, 1024))
        for _ in 0..<count { elements.append(try each(&self)) }
        return elements
    }

    func finish() throws {
        if remaining != 0 { throw CommandDecodingError.malformed }
    }
}

/// Why bytes are not a command that this process understands.
public enum CommandDecodingError: Error, Hashable, Sendable {
    case truncated, malformed
    /// Written by a process that knows more than this one, which is to stop rather than guess.
    case unknownVersion(UInt8)
    case tooDeep
}
