import Linearizability
import TextForms

extension HistoryVerdict {
    /// One object on one line: `history`, `model`, `verdict`, `operations`, `events`, and for each key in `parts` its
    /// `verdict`, `explainedEvents`, whether that is the `longest` beginning with an explanation, the `order` that explains them and the `cutDown` history.
    public func json(name: String, model: ObjectModel) -> String {
        "{"
            + [
                "\"history\":\(JSONText.string(name))", "\"model\":\(JSONText.string(model.rawValue))",
                "\"verdict\":\(JSONText.string(outcome.rawValue))", "\"operations\":\(operationCount)",
                "\"events\":\(eventCount)",
                "\"parts\":[" + parts.map(\.json).joined(separator: ",") + "]",
            ].joined(separator: ",") + "}"
    }
}

extension HistoryVerdict.Part {
    fileprivate var json: String {
        "{"
            + [
                "\"key\":" + (key.map(JSONText.string) ?? "null"),
                "\"verdict\":\(JSONText.string(outcome.rawValue))",
                "\"operations\":\(operations.count)", "\"explainedEvents\":\(explainedEvents)",
                "\"longest\":\(isLongestExplained)",
                "\"order\":[" + order.map { operations[$0].json }.joined(separator: ",") + "]",
                "\"cutDown\":[" + cutDown.map(\.json).joined(separator: ",") + "]",
            ].joined(separator: ",") + "}"
    }
}

extension RecordedOperation {
    fileprivate var json: String {
        "{"
            + [
                "\"process\":\(process)", "\"f\":\(JSONText.string(function))",
                "\"key\":" + (key.map(JSONText.string) ?? "null"),
                "\"argument\":" + (argument.map(JSONText.string) ?? "null"),
                "\"answer\":" + (answer.map(JSONText.string) ?? "null"),
                "\"invoked\":\(invoked)", "\"returned\":" + (returned.map { "\($0)" } ?? "null"),
                "\"line\":\(line)",
            ].joined(separator: ",") + "}"
    }
}
