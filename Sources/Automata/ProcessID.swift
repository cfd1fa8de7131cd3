/// The name of a participant. Names are compared as numbers; they carry no other meaning.
public struct ProcessID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64

    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    @inlinable public static func < (a: ProcessID, b: ProcessID) -> Bool { a.rawValue < b.rawValue }

    public var description: String { "p\(rawValue)" }
}
