/// A point on a process's own monotonic time line, in nanoseconds since an arbitrary origin.
///
/// A host supplies it with every step; instants of different processes are not comparable.
public struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let nanoseconds: UInt64

    @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static let zero = Instant(nanoseconds: 0)

    @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// The instant `span` later.
    @inlinable public static func + (a: Instant, span: TimeSpan) -> Instant {
        Instant(nanoseconds: a.nanoseconds &+ span.nanoseconds)
    }

    /// How long after `earlier` this instant is; zero when it is not after it.
    @inlinable public func since(_ earlier: Instant) -> TimeSpan {
        TimeSpan(nanoseconds: nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0)
    }

    public var description: String { "\(nanoseconds / 1_000_000)ms" }
}

/// A length of time in nanoseconds, never negative.
public struct TimeSpan: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let nanoseconds: UInt64

    @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
    @inlinable public static func milliseconds(_ count: UInt64) -> TimeSpan {
        TimeSpan(nanoseconds: count * 1_000_000)
    }
    @inlinable public static func seconds(_ count: UInt64) -> TimeSpan {
        TimeSpan(nanoseconds: count * 1_000_000_000)
    }

    public static let zero = TimeSpan(nanoseconds: 0)

    @inlinable public static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.nanoseconds < b.nanoseconds }
    @inlinable public static func + (a: TimeSpan, b: TimeSpan) -> TimeSpan {
        TimeSpan(nanoseconds: a.nanoseconds + b.nanoseconds)
    }
    @inlinable public static func * (a: TimeSpan, factor: UInt64) -> TimeSpan {
        TimeSpan(nanoseconds: a.nanoseconds * factor)
    }

    public var description: String { "\(nanoseconds / 1_000_000)ms" }
}
