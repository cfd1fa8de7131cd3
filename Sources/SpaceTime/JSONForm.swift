import TextForms

extension SpaceTimeRun {
    /// One object: `title`, `command`, `isKept`, `processes`, `events`, `messages`, `cuts`, `summary`. Events, messages
    /// and cuts refer to each other by their places, from 0.
    public var json: String {
        JSONText.object([
            ("title", JSONText.string(title)), ("command", command.map { JSONText.string($0) } ?? "null"),
            ("isKept", isKept.map { $0 ? "true" : "false" } ?? "null"),
            ("processes", JSONText.array(processes.map { JSONText.string($0) })),
            ("events", JSONText.array(events.map(\.json))),
            ("messages", JSONText.array(messages.map(\.json))),
            ("cuts", JSONText.array(cuts.map(\.json))),
            ("summary", JSONText.array(summary.map { JSONText.string($0) })),
        ])
    }
}

extension SpaceTimeRun.Event {
    fileprivate var json: String {
        JSONText.object([
            ("process", "\(process)"), ("kind", JSONText.string(kind.rawValue)),
            ("sentence", JSONText.string(sentence)),
            ("state", JSONText.string(state)),
            (
                "details",
                JSONText.array(
                    details.map {
                        JSONText.object([
                            ("title", JSONText.string($0.title)),
                            ("lines", JSONText.array($0.lines.map { JSONText.string($0) })),
                        ])
                    })
            ),
            ("outlook", outlook.map { JSONText.string($0.rawValue) } ?? "null"),
            ("received", JSONText.number(received)), ("sent", JSONText.array(sent.map(String.init))),
            ("clock", JSONText.array(clock.map(String.init))),
        ])
    }
}

extension SpaceTimeRun.Message {
    fileprivate var json: String {
        JSONText.object([
            ("from", "\(from)"), ("to", "\(to)"), ("kind", JSONText.string(kind.rawValue)),
            ("label", JSONText.string(label)), ("sentBy", "\(sentBy)"),
            ("receivedBy", JSONText.number(receivedBy)),
        ])
    }
}

extension SpaceTimeRun.Cut {
    fileprivate var json: String {
        JSONText.object([
            ("name", JSONText.string(name)), ("events", JSONText.array(events.map(String.init))),
            ("note", JSONText.string(note)), ("isConsistent", isConsistent ? "true" : "false"),
            ("underWay", JSONText.array(underWay.map(String.init))),
            ("uncaused", JSONText.array(uncaused.map(String.init))),
        ])
    }
}
