/// The position of a record among all that a process has handed over to be made durable since it started,
/// counted from 1.
public struct RecordNumber: Hashable, Comparable, Sendable {
    public let rawValue: UInt64

    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static let none = RecordNumber(0)

    @inlinable public static func < (a: RecordNumber, b: RecordNumber) -> Bool { a.rawValue < b.rawValue }
}
