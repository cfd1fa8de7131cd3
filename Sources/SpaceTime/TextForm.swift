extension SpaceTimeRun {
    /// A line for each event, then what is said of the whole.
    public var transcript: [String] {
        let width = processes.map(\.count).max() ?? 0
        let numberWidth = "\(events.count)".count
        var lines = [title, ""]
        for (index, event) in events.enumerated() {
            let number = "\(index + 1)"
            let name = processes[event.process]
            lines.append(
                String(repeating: " ", count: numberWidth - number.count) + number + "  " + name
                    + String(repeating: " ", count: width - name.count + 2) + event.sentence
                    + (event.state.isEmpty ? "" : "  [\(event.state)]"))
        }
        lines.append("")
        for cut in cuts {
            let places = zip(processes, cut.events).map { "\($0) after \($1)" }.joined(separator: ", ")
            lines.append(
                "cut \(cut.name): \(places) event(s); \(cut.isConsistent ? "consistent" : "NOT consistent"). \(cut.note)"
            )
        }
        return lines + summary + (command.map { ["again: \($0)"] } ?? [])
    }

    /// A log for ShiViz: the first line is the expression by which it is read.
    public var shiViz: String {
        var text = "(?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)\n\n"
        let hosts = processes.map { $0.replacing(" ", with: "_") }
        for event in events {
            let clock = zip(hosts, event.clock).filter { $0.1 > 0 }.map { "\"\($0)\":\($1)" }.joined(
                separator: ", ")
            text += "\(hosts[event.process]) {\(clock)}\n\(event.sentence.replacing("\n", with: " "))\n"
        }
        return text
    }
}
