import Automata

/// Writes the parts of a command: numbers and lengths as base-128 varints, byte strings after their length.
struct CommandEncoder {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func write(_ byte: UInt8) { bytes.append(byte) }
    mutating func write(_ number: UInt64) { bytes.appendNumber(number) }
    mutating func write(_ number: Int64) { write(UInt64(bitPattern: number)) }
    mutating func write(_ string: [UInt8]) { bytes.appendString(string) }
    mutating func write(_ text: String) { write(Array(text.utf8)) }

    mutating func write<Element>(_ elements: [Element], _ each: (inout CommandEncoder, Element) -> Void) {
        write(UInt64(elements.count))
        for element in elements { each(&self, element) }
    }
}

/// Reads what `CommandEncoder` wrote, and refuses everything else.
typealias CommandDecoder = ByteReader<CommandDecodingError>

extension CommandDecoder {
    mutating func signedNumber() throws(CommandDecodingError) -> Int64 { Int64(bitPattern: try number()) }

    mutating func flags(below limit: UInt8) throws(CommandDecodingError) -> UInt8 {
        let flags = try byte()
        guard flags < limit else { throw .malformed }
        return flags
    }
}

/// Why bytes are not a command that this process understands.
public enum CommandDecodingError: Error, Hashable, Sendable {
    case truncated, malformed
    /// Written by a process that knows more than this one, which is to stop rather than guess.
    case unknownVersion(UInt8)
    case tooDeep
}

extension CommandDecodingError: ByteReadingError {
    public static func trailingBytes(_ count: Int) -> CommandDecodingError { .malformed }
}
