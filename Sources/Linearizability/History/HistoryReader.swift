/// Reads histories in the forms in which they are found:
///
///     0 invoke write 3                                   a line an event: process, kind, function, [key,] value
///     INFO  jepsen.util - 0	:invoke	:write	3          Jepsen's log of a single register
///     {:process 0, :type :invoke, :f :put, :key "k", :value "3"}
///     {"process": 0, "type": "invoke", "f": "put", "key": "k", "value": "3"}
///
/// A line tells by its beginning which form it has. Empty lines and those that begin with `#` or `;` are passed
/// over. `nil` is the absence of a value; a value in brackets, such as `[1 2]`, is one value.
public struct HistoryReader {
    /// Longer lines are refused.
    public static let longestLine = 1 << 20

    /// Whether lines without names for their parts have a key before the value.
    private let hasKeys: Bool

    public init(hasKeys: Bool) { self.hasKeys = hasKeys }

    /// Throws `HistoryError` with the number of the line that is no event.
    public func read(_ text: String) throws -> History {
        var events: [(line: Int, event: HistoryEvent)] = []
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            guard line.utf8.count <= Self.longestLine else {
                throw HistoryError(line: number, "longer than \(Self.longestLine) bytes")
            }
            let trimmed = trim(line)
            if trimmed.isEmpty || trimmed.first == "#" || trimmed.first == ";" { continue }
            do {
                events.append((number, try event(trimmed)))
            } catch let error as HistoryError {
                throw HistoryError(line: number, error.message)
            }
        }
        return try History(events)
    }

    private func event(_ line: Substring) throws -> HistoryEvent {
        if line.first == "{" { return try named(line) }
        var tokens = try HistoryTokens(line).all()
        // A log puts its own words before a dash.
        if let dash = tokens.firstIndex(of: .word("-")),
            tokens[..<dash].first.map({ Int($0.text) == nil }) == true
        {
            tokens.removeFirst(dash + 1)
        }
        guard tokens.count >= 3 else {
            throw HistoryError(line: nil, "an event is a process, a kind and a function")
        }
        let values = Array(tokens.dropFirst(3))
        let wanted = hasKeys ? 2 : 1
        guard values.count <= wanted else {
            throw HistoryError(line: nil, "\"\(values[wanted].text)\" is one part too many")
        }
        return HistoryEvent(
            process: try process(tokens[0].text), kind: try kind(tokens[1].text), function: tokens[2].text,
            key: hasKeys ? values.first?.value : nil,
            value: hasKeys ? values.dropFirst().first?.value : values.first?.value)
    }

    private func named(_ line: Substring) throws -> HistoryEvent {
        guard line.last == "}" else { throw HistoryError(line: nil, "a brace is not closed") }
        let tokens = try HistoryTokens(line.dropFirst().dropLast()).all()
        guard tokens.count % 2 == 0 else { throw HistoryError(line: nil, "a name without a value") }
        var fields: [String: HistoryTokens.Token] = [:]
        for index in stride(from: 0, to: tokens.count, by: 2) {
            guard fields.updateValue(tokens[index + 1], forKey: tokens[index].text) == nil else {
                throw HistoryError(line: nil, "\"\(tokens[index].text)\" stands twice")
            }
        }
        func field(_ name: String) throws -> String {
            guard let token = fields[name] else { throw HistoryError(line: nil, "no \"\(name)\"") }
            return token.text
        }
        return HistoryEvent(
            process: try process(field("process")), kind: try kind(field("type")), function: try field("f"),
            key: fields["key"]?.value, value: fields["value"]?.value)
    }

    private func process(_ text: String) throws -> Int {
        guard let process = Int(text), process >= 0 else {
            throw HistoryError(line: nil, "\"\(text)\" is no process: a number from 0")
        }
        return process
    }

    private func kind(_ text: String) throws -> HistoryEvent.Kind {
        guard let kind = HistoryEvent.Kind(rawValue: text) else {
            throw HistoryError(line: nil, "\"\(text)\" is not invoke, ok, fail or info")
        }
        return kind
    }

    private func trim(_ line: Substring) -> Substring {
        var line = line
        while let last = line.last, last.isWhitespace { line.removeLast() }
        return line.drop { $0.isWhitespace }
    }
}
