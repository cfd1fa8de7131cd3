/// Why the log could not do something.
public struct WriteAheadLogError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// The stored bytes are not what was written, and more was written after them.
        case damaged
        /// A segment between two others, or the one that records must begin in, is not there.
        case missingSegment
        /// A segment belongs to another log, or to a newer version of this program.
        case foreign
        /// The disk has no room. Nothing was accepted; the log goes on with what fits.
        case full
        /// A write or a sync failed. What it was to make durable may be lost, so the log takes nothing more:
        /// a second sync that succeeds would prove nothing about the first.
        case failed
    }
    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    static func damaged(_ file: String, at offset: Int, _ what: String) -> WriteAheadLogError {
        WriteAheadLogError(
            .damaged,
            """
            the log is damaged: \(what) in \(file) at byte \(offset). Promises that this member made may be \
            lost, so it does not start. Put back the data directory as it was when the member last stopped; \
            without it the member is lost, see "A lost disk" in docs/operations
            """)
    }
}
