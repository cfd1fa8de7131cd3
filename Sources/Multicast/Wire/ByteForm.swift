import Automata

/// Numbers and names as bytes, the most significant first.
public struct ByteForm: Hashable, Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func append(_ byte: UInt8) { bytes.append(byte) }

    public mutating func append(_ word: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
        }
    }

    public mutating func append(_ process: ProcessID) { append(process.rawValue) }

    public mutating func append(_ id: MulticastID) {
        append(id.sender)
        append(id.number)
    }

    /// With its length in front.
    public mutating func append(_ payload: Payload) {
        append(UInt64(payload.count))
        bytes += payload.bytes
    }

    /// With their count in front.
    public mutating func append<Element>(
        _ elements: [Element], _ body: (inout ByteForm, Element) -> Void
    ) {
        append(UInt64(elements.count))
        for element in elements { body(&self, element) }
    }
}
