import Automata

/// What a server has to say: a sentence, and the values in it under names of their own, so that a person reads
/// the sentence and a program the values.
///
///     report(.info, "sending a checkpoint at \(slot, as: "slot") to \(member: receiver)")
///
/// A member stands in the sentence with its name and its id, as soon as its name is known.
public struct LogLine: Sendable, ExpressibleByStringInterpolation {
    enum Piece: Sendable {
        case text(String)
        case member(ProcessID)
    }

    private(set) var pieces: [Piece]
    public private(set) var fields: [LogField]

    public init(_ text: String) {
        pieces = [.text(text)]
        fields = []
    }

    public init(stringLiteral text: String) { self.init(text) }

    public init(stringInterpolation: StringInterpolation) {
        pieces = stringInterpolation.pieces
        fields = stringInterpolation.fields
    }

    /// The same line with a value that is not in its sentence.
    public func with(_ name: String, _ value: LogField.Value) -> LogLine {
        var line = self
        line.fields.append(LogField(name: name, value: value))
        return line
    }

    public static func + (first: LogLine, second: LogLine) -> LogLine {
        var line = first
        line.pieces += second.pieces
        line.fields += second.fields
        return line
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var pieces: [Piece] = []
        fileprivate var fields: [LogField] = []

        public init(literalCapacity: Int, interpolationCount: Int) {}

        public mutating func appendLiteral(_ literal: String) { pieces.append(.text(literal)) }

        public mutating func appendInterpolation(_ value: some Any) { pieces.append(.text("\(value)")) }

        public mutating func appendInterpolation(_ value: some Any, as name: String) {
            pieces.append(.text("\(value)"))
            fields.append(LogField(name: name, value: LogField.Value(value)))
        }

        public mutating func appendInterpolation(member id: ProcessID, as name: String = "member-id") {
            pieces.append(.member(id))
            fields.append(LogField(name: name, value: .text(hex(id.rawValue))))
        }
    }
}

/// A value that a line names.
public struct LogField: Hashable, Sendable {
    public enum Value: Hashable, Sendable {
        case text(String)
        case number(Int64)
        case flag(Bool)
        case texts([String])

        init(_ value: some Any) {
            switch value {
            case let value as Bool: self = .flag(value)
            case let value as [String]: self = .texts(value)
            case let value as any BinaryInteger:
                self = Int64(exactly: value).map(Value.number) ?? .text("\(value)")
            default: self = .text("\(value)")
            }
        }
    }

    public var name: String
    public var value: Value

    public init(name: String, value: Value) {
        self.name = name
        self.value = value
    }
}

/// A line as it goes to the log.
public struct LogRecord: Sendable {
    public var level: ServerOptions.LogLevel
    public var message: String
    public var fields: [LogField]
    /// `Runtime/PeerLink.swift:142`.
    public var caller: String

    public init(level: ServerOptions.LogLevel, message: String, fields: [LogField] = [], caller: String) {
        self.level = level
        self.message = message
        self.fields = fields
        self.caller = caller
    }
}
