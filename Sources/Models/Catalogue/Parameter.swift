extension ModelCatalogue {
    /// Something that may be said on the command line about a model: `--name VALUE`, or `--name` alone.
    public struct Parameter: Sendable {
        public enum Kind: Sendable, Hashable {
            /// N
            case number(ClosedRange<Int>)
            /// N,N,… with so many numbers
            case numbers(ClosedRange<Int>, count: ClosedRange<Int>)
            /// One of these words.
            case choice([String])
            /// Said or not.
            case flag
        }

        public let name: String
        public let meaning: String
        public let kind: Kind
        /// `nil` when it may be left out and means something then that no value says.
        public let standard: ParameterValue?

        init(_ name: String, _ meaning: String, _ kind: Kind, standard: ParameterValue? = nil) {
            self.name = name
            self.meaning = meaning
            self.kind = kind
            self.standard = standard
        }

        /// As in a usage text.
        public var form: String {
            switch kind {
            case .number: "--\(name) N"
            case .numbers: "--\(name) N,N,…"
            case .choice(let words): "--\(name) \(words.joined(separator: "|"))"
            case .flag: "--\(name)"
            }
        }

        /// What was typed as a value. Whether it fits is for `check` to say.
        func value(_ text: String) throws(CatalogueError) -> ParameterValue {
            switch kind {
            case .number:
                guard let number = Int(text) else {
                    throw CatalogueError("--\(name) needs a number, not \"\(text)\"")
                }
                return .number(number)
            case .numbers:
                let parts = text.split(separator: ",", omittingEmptySubsequences: false)
                let numbers = parts.compactMap { Int($0) }
                guard numbers.count == parts.count else {
                    throw CatalogueError("--\(name) needs numbers with commas between, not \"\(text)\"")
                }
                return .numbers(numbers)
            case .choice: return .word(text)
            case .flag: throw CatalogueError("--\(name) has no value")
            }
        }

        func check(_ value: ParameterValue) throws(CatalogueError) {
            switch (kind, value) {
            case (.number(let range), .number(let number)) where range.contains(number): return
            case (.number(let range), _):
                throw CatalogueError("--\(name) must be from \(range.lowerBound) to \(range.upperBound)")
            case (.numbers(let range, let count), .numbers(let numbers))
            where count.contains(numbers.count) && numbers.allSatisfy(range.contains): return
            case (.numbers(let range, let count), _):
                throw CatalogueError(
                    "--\(name) must be \(count.lowerBound) to \(count.upperBound) numbers "
                        + "from \(range.lowerBound) to \(range.upperBound)")
            case (.choice(let words), .word(let word)) where words.contains(word): return
            case (.choice(let words), _):
                throw CatalogueError("--\(name) must be one of \(words.joined(separator: ", "))")
            case (.flag, .said): return
            case (.flag, _): throw CatalogueError("--\(name) has no value")
            }
        }
    }
}

/// The value of a parameter. In Swift it is written as a number, a list of numbers, a word or `true`.
public enum ParameterValue: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral,
    ExpressibleByStringLiteral
{
    case number(Int)
    case numbers([Int])
    case word(String)
    /// Of a flag.
    case said

    public init(integerLiteral number: Int) { self = .number(number) }
    public init(arrayLiteral numbers: Int...) { self = .numbers(numbers) }
    public init(stringLiteral word: String) { self = .word(word) }

    /// As on the command line; empty for a flag.
    var text: String {
        switch self {
        case .number(let number): "\(number)"
        case .numbers(let numbers): numbers.map(String.init).joined(separator: ",")
        case .word(let word): word
        case .said: ""
        }
    }

    var json: String {
        switch self {
        case .number(let number): "\(number)"
        case .numbers(let numbers): "[\(numbers.map(String.init).joined(separator: ", "))]"
        case .word(let word): JSONText.string(word)
        case .said: "true"
        }
    }
}

/// Values for the parameters of one entry, each of its kind.
struct ParameterValues: Sendable {
    private let entry: ModelCatalogue.Entry
    /// In the order of the parameters.
    private(set) var all: [(name: String, value: ParameterValue)] = []

    init(_ values: [String: ParameterValue], for entry: ModelCatalogue.Entry) throws(CatalogueError) {
        self.entry = entry
        for name in values.keys.sorted() where !entry.parameters.contains(where: { $0.name == name }) {
            throw CatalogueError("\(entry.name) has no parameter --\(name)")
        }
        for parameter in entry.parameters {
            guard let value = values[parameter.name] ?? parameter.standard else { continue }
            try parameter.check(value)
            all.append((parameter.name, value))
        }
    }

    private func value(_ name: String) -> ParameterValue? { all.first { $0.name == name }?.value }

    func isSaid(_ name: String) -> Bool { value(name) == .said }

    func optional(_ name: String) -> Int? {
        if case .number(let number)? = value(name) { number } else { nil }
    }

    /// Of a parameter that has a standard.
    subscript(name: String) -> Int {
        guard let number = optional(name) else {
            preconditionFailure("\(entry.name) has no standard for \(name)")
        }
        return number
    }

    func numbers(_ name: String) -> [Int] {
        if case .numbers(let numbers)? = value(name) { numbers } else { [] }
    }

    func word(_ name: String) -> String? {
        if case .word(let word)? = value(name) { word } else { nil }
    }

    /// For a report.
    var text: String {
        all.map { $0.value == .said ? "--\($0.name)" : "--\($0.name) \($0.value.text)" }
            .joined(separator: " ")
    }
}
