import Linearizability

extension HistoryVerdict {
    /// One object on one line: `history`, `model`, `verdict`, `operations`, `events`, and for each key in `parts` its
    /// `verdict`, `explainedEvents`, the `order` that explains them and the `cutDown` history.
    public func json(name: String, model: ObjectModel) -> String {
        "{"
            + [
                "\"history\":\(quoted(name))", "\"model\":\(quoted(model.rawValue))",
                "\"verdict\":\(quoted(outcome.rawValue))", "\"operations\":\(operationCount)",
                "\"events\":\(eventCount)",
                "\"parts\":[" + parts.map(\.json).joined(separator: ",") + "]",
            ].joined(separator: ",") + "}"
    }
}

extension HistoryVerdict.Part {
    fileprivate var json: String {
        "{"
            + [
                "\"key\":" + (key.map(quoted) ?? "null"), "\"verdict\":\(quoted(outcome.rawValue))",
                "\"operations\":\(operations.count)", "\"explainedEvents\":\(explainedEvents)",
                "\"order\":[" + order.map { operations[$0].json }.joined(separator: ",") + "]",
                "\"cutDown\":[" + cutDown.map(\.json).joined(separator: ",") + "]",
            ].joined(separator: ",") + "}"
    }
}

extension RecordedOperation {
    fileprivate var json: String {
        "{"
            + [
                "\"process\":\(process)", "\"f\":\(quoted(function))",
                "\"key\":" + (key.map(quoted) ?? "null"),
                "\"argument\":" + (argument.map(quoted) ?? "null"),
                "\"answer\":" + (answer.map(quoted) ?? "null"),
                "\"invoked\":\(invoked)", "\"returned\":" + (returned.map { "\($0)" } ?? "null"),
                "\"line\":\(line)",
            ].joined(separator: ",") + "}"
    }
}

/// A string of JSON.
private func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case "\n": quoted += "\\n"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}
