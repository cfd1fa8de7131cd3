/// Why bytes cannot be taken for a checkpoint of the ledger.
public struct CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// Something else than a checkpoint.
        case foreign
        /// It ends before its end.
        case torn
        /// The bytes are not what was written, or what they say does not fit together.
        case damaged
        /// It was written by a program that knows more than this one.
        case unknown
    }
    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
