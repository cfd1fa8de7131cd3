/// Reads histories in the forms in which they are found:
///
///     0 invoke write 3                                   a line an event: process, kind, function, [key,] value
///     INFO  jepsen.util - 0	:invoke	:write	3          Jepsen's log of a single register
///     {:process 0, :type :invoke, :f :put, :key "k", :value "3"}
///     #jepsen.history.Op{:index 0, :process 0, :type :invoke, :f :put, :value ["k" "3"]}
///     {"process": 0, "type": "invoke", "f": "put", "key": "k", "value": "3"}
///     [0 :invoke :write 3]                               a vector, with the parts of a line
///     [{…} {…}]   [{…}, {…}]                             all events in one vector or array
///
/// What begins with a bracket may take several lines. Empty lines and those that begin with `#` or `;` are passed
/// over, and so is what Jepsen's `:nemesis` did, which is no process of the history. `nil` is the absence of a value; a
/// value in brackets, such as `[1 2]`, is one value.
public struct HistoryReader {
    private typealias Numbered = (line: Int, event: HistoryEvent)

    /// Whether an event has a key: in lines without names for their parts before the value, otherwise by name or as the
    /// first of a value of two.
    private let hasKeys: Bool

    public init(hasKeys: Bool) { self.hasKeys = hasKeys }

    /// Throws `HistoryError` with the number of the line that is no event, or when there is no operation at all.
    public func read(_ text: String) throws -> History {
        var reader = FormReader(text)
        var events: [Numbered] = []
        while true {
            reader.skipBlanks()
            if reader.isAtEnd { break }
            let line = reader.line
            switch reader.first {
            case "[", "(": try add(reader.parts(), line, to: &events)
            case "{": try add(reader.form(), line, to: &events)
            case "#" where reader.isAtTag(of: "[({"): try add(reader.form(), line, to: &events)
            case "#", ";": _ = reader.restOfLine()
            default: try add(plain: reader.restOfLine(), line, to: &events)
            }
        }
        guard !events.isEmpty else { throw HistoryError(line: nil, "there is no operation in it") }
        return try History(events)
    }

    private func add(plain text: String, _ line: Int, to events: inout [Numbered]) throws {
        try atLine(line) {
            var reader = FormReader(text)
            var tokens: [Form] = []
            while let token = try reader.form() { tokens.append(token) }
            guard reader.isAtEnd else {
                throw HistoryError(line: nil, "\"\(reader.restOfLine())\" begins no event")
            }
            // A log puts its own words before a dash.
            if let dash = tokens.firstIndex(of: .word("-")), Int(tokens[0].text ?? "") == nil {
                tokens.removeFirst(dash + 1)
            }
            if let event = try event(tokens) { events.append((line, event)) }
        }
    }

    /// A vector of events, or one event as a vector.
    private func add(
        _ parts: [(line: Int, form: Form)], _ line: Int, to events: inout [Numbered]
    ) throws {
        let isEvent = parts.contains { part in
            switch part.form {
            case .list, .map: false
            default: true
            }
        }
        if isEvent {
            try atLine(line) {
                if let event = try event(parts.map(\.form)) { events.append((line, event)) }
            }
        } else {
            for part in parts { try add(part.form, part.line, to: &events) }
        }
    }

    private func add(_ form: Form?, _ line: Int, to events: inout [Numbered]) throws {
        try atLine(line) {
            let event: HistoryEvent?
            switch form {
            case .map(let fields)?: event = try named(fields)
            case .list(let parts)?: event = try self.event(parts)
            default: throw HistoryError(line: nil, "an event is a map or a vector")
            }
            if let event { events.append((line, event)) }
        }
    }

    /// What is thrown names that line.
    private func atLine(_ line: Int, _ body: () throws -> Void) throws {
        do { try body() } catch let error as HistoryError { throw HistoryError(line: line, error.message) }
    }

    private func event(_ parts: [Form]) throws -> HistoryEvent? {
        if parts.first == .word("nemesis") { return nil }
        guard parts.count >= 3 else {
            throw HistoryError(line: nil, "an event is a process, a kind and a function")
        }
        var values = Array(parts.dropFirst(3))
        if hasKeys, values.count == 1, case .list(let pair) = values[0], pair.count == 2 { values = pair }
        let wanted = hasKeys ? 2 : 1
        let kind = try kind(parts[1])
        // Behind the value of what failed, or has no known end, a log says why.
        guard values.count <= wanted || kind == .fail || kind == .info else {
            throw HistoryError(line: nil, "\"\(values[wanted].text ?? "nil")\" is one part too many")
        }
        return HistoryEvent(
            process: try process(parts[0]), kind: kind, function: parts[2].text ?? "nil",
            key: hasKeys ? values.first?.text : nil,
            value: hasKeys ? values.dropFirst().first?.text : values.first?.text)
    }

    private func named(_ parts: [Form]) throws -> HistoryEvent? {
        var fields: [String: Form] = [:]
        for index in stride(from: 0, to: parts.count, by: 2) {
            let name = parts[index].text ?? "nil"
            guard fields.updateValue(parts[index + 1], forKey: name) == nil else {
                throw HistoryError(line: nil, "\"\(name)\" stands twice")
            }
        }
        func field(_ name: String) throws -> Form {
            guard let form = fields[name] else { throw HistoryError(line: nil, "no \"\(name)\"") }
            return form
        }
        if try field("process").text == "nemesis" { return nil }
        var key = fields["key"]?.text
        var value = fields["value"]
        // Jepsen's tuples of independent keys.
        if hasKeys, fields["key"] == nil, case .list(let pair)? = value, pair.count == 2 {
            key = pair[0].text
            value = pair[1]
        }
        return HistoryEvent(
            process: try process(field("process")), kind: try kind(field("type")),
            function: try field("f").text ?? "nil", key: key, value: value?.text)
    }

    private func process(_ form: Form) throws -> Int {
        guard let text = form.text, let process = Int(text), process >= 0 else {
            throw HistoryError(line: nil, "\"\(form.text ?? "nil")\" is no process: a number from 0")
        }
        return process
    }

    private func kind(_ form: Form) throws -> HistoryEvent.Kind {
        guard let kind = form.text.flatMap(HistoryEvent.Kind.init) else {
            throw HistoryError(line: nil, "\"\(form.text ?? "nil")\" is not invoke, ok, fail or info")
        }
        return kind
    }
}
