/// INTERFACE SKETCH: the signatures other targets compile against; the bodies are being written.
///
/// A segmented log of opaque records. One thread appends and synchronises.
public final class WriteAheadLog: @unchecked Sendable {
    public struct Options: Sendable {
        public var segmentBytes = 64 << 20
        /// Off only for tests and `--unsafe-no-fsync`.
        public var synchronises = true
        public init() {}
    }

    /// Opens the log in `directory`, making it when there is none, repairs a torn tail, and hands every
    /// record to `body` in order. Throws `WriteAheadLogError` when something in the middle is damaged or
    /// missing.
    public static func open(
        _ directory: String, options: Options, replay body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> WriteAheadLog { fatalError() }

    /// Queues a record; it reaches the file at the latest with the next `synchronize`.
    public func append(_ record: [UInt8]) throws { fatalError() }
    /// Writes and syncs everything appended so far.
    public func synchronize() throws { fatalError() }
    /// Whether the current segment has reached its size: the caller should `cut`.
    public var wantsCut: Bool { fatalError() }
    /// Starts a new segment whose first records are `preamble`; returns its number.
    public func cut(preamble: [[UInt8]]) throws -> UInt64 { fatalError() }
    public var currentSegment: UInt64 { fatalError() }
    /// Removes (recycles) the segments before this one.
    public func remove(before segment: UInt64) throws { fatalError() }
    public func close() { fatalError() }
}

public struct WriteAheadLogError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable { case damaged, missingSegment, foreign, full, failed }
    public var code: Code
    public var message: String
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
    public var description: String { message }
}
