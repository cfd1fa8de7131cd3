import Automata

/// Numbers and names as bytes, the most significant first.
package struct ByteForm: Hashable, Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func append(_ byte: UInt8) { bytes.append(byte) }
    package mutating func append(_ word: UInt64) { bytes.appendBigEndian(word) }
    package mutating func append(_ process: ProcessID) { append(process.rawValue) }

    package mutating func append(_ id: MulticastID) {
        append(id.sender)
        append(id.number)
    }

    /// With its length in front.
    package mutating func append(_ payload: Payload) {
        append(UInt64(payload.count))
        bytes += payload.bytes
    }

    /// With their count in front.
    package mutating func append<Element>(
        _ elements: [Element], _ body: (inout ByteForm, Element) -> Void
    ) {
        append(UInt64(elements.count))
        for element in elements { body(&self, element) }
    }
}

/// Why bytes are none that `ByteForm` wrote.
package enum ByteFormError: ByteReadingError {
    case truncated, malformed
    case trailingBytes(Int)
}

/// Reads what `ByteForm` wrote.
package typealias ByteFormReader = ByteReader<ByteFormError>

extension ByteFormReader {
    package mutating func word() throws(ByteFormError) -> UInt64 { try bigEndian() }
    package mutating func process() throws(ByteFormError) -> ProcessID { ProcessID(try word()) }

    package mutating func id() throws(ByteFormError) -> MulticastID {
        MulticastID(sender: try process(), number: try word())
    }

    package mutating func payload() throws(ByteFormError) -> Payload {
        Payload(try string(of: try word()))
    }

    package mutating func list<Element>(
        _ each: (inout ByteFormReader) throws -> Element
    ) throws -> [Element] { try elements(try word(), each) }

    /// All that has not been read.
    package mutating func remainder() -> Payload { Payload([UInt8](rest())) }
}

extension Payload {
    /// Nil when the bytes are not what `body` reads.
    package func read<Value>(_ body: (inout ByteFormReader) throws -> Value) -> Value? {
        bytes.withUnsafeBytes { bytes in
            var reader = ByteFormReader(bytes)
            return try? body(&reader)
        }
    }
}
