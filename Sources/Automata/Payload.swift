/// An immutable, reference-counted byte string. Copying one copies no bytes, so that copying the state of
/// a protocol that holds many is cheap.
public struct Payload: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    @inlinable public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: String) { bytes = Array(text.utf8) }

    @inlinable public var count: Int { bytes.count }

    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
