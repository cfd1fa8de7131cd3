import Automata

/// Why bytes are not the wire form of anything.
public enum WireError: Error, Hashable, Sendable {
    /// The bytes end before the value does.
    case truncated
    /// Bytes follow the value.
    case trailingBytes(Int)
    /// The format version is not one that this program knows.
    case unknownVersion(UInt8)
    /// A tag that has no meaning where it stands.
    case unknownTag(UInt8)
    /// A number or a combination of values that no encoder writes.
    case malformed
}

extension WireError: ByteReadingError {}
