import TextForms

extension SpaceTimeRun {
    /// The diagram as a picture in SVG. Sentences are titles of the events, which viewers show when one points there.
    public var svg: String {
        let layout = DiagramLayout(run: self)
        var body = "<text class=\"title\" x=\"16\" y=\"22\">\(XMLText.escaped(title))</text>\n"
        if let command {
            body += "<text class=\"command\" x=\"16\" y=\"40\">\(XMLText.escaped(command))</text>\n"
        }
        for (process, name) in processes.enumerated() {
            let y = layout.y(process: process)
            body += "<text x=\"16\" y=\"\(y + 4)\">\(XMLText.escaped(name))</text>\n"
            body +=
                "<line class=\"lane\" x1=\"\(DiagramLayout.left)\" y1=\"\(y)\" x2=\"\(layout.width - 12)\" y2=\"\(y)\"/>\n"
        }
        for cut in cuts {
            let points = processes.indices.map {
                "\(layout.x(cut: cut, process: $0)),\(layout.y(process: $0))"
            }
            let first = layout.x(cut: cut, process: 0)
            body +=
                "<polyline class=\"cut\(cut.isConsistent ? "" : " wrong")\" points=\"\(first),\(DiagramLayout.top) "
            body +=
                points.joined(separator: " ") + "\"><title>\(XMLText.escaped(cut.note))</title></polyline>\n"
            body +=
                "<text class=\"cut\" x=\"\(first + 4)\" y=\"\(DiagramLayout.top)\">\(XMLText.escaped(cut.name))</text>\n"
        }
        for message in messages { body += picture(of: message, layout) }
        for (index, event) in events.enumerated() {
            let (x, y) = (layout.x(event: index), layout.y(process: event.process))
            body +=
                "<circle class=\"\(event.classes)\" cx=\"\(x)\" cy=\"\(y)\" r=\"\(event.kind == .step ? 5 : 7)\">"
            body += "<title>\(index + 1). \(XMLText.escaped(event.sentence))</title></circle>\n"
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(layout.width)" height="\(layout.height)" \
            viewBox="0 0 \(layout.width) \(layout.height)" role="img" aria-label="\(XMLText.escaped(title))">
            <style>
            \(DiagramStyle.picture)
            </style>
            \(body)</svg>

            """
    }

    private func picture(of message: Message, _ layout: DiagramLayout) -> String {
        let (x1, y1) = (layout.x(event: message.sentBy), layout.y(process: message.from))
        let title = "<title>\(XMLText.escaped(message.label))</title>"
        guard let receivedBy = message.receivedBy else {
            let x2 = x1 + 18
            let y2 = y1 + (message.to > message.from ? 18 : -18)
            return
                "<line class=\"message \(message.kind.rawValue) lost\" x1=\"\(x1)\" y1=\"\(y1)\" x2=\"\(x2)\" y2=\"\(y2)\">\(title)</line>\n"
        }
        let (x2, y2) = (layout.x(event: receivedBy), layout.y(process: message.to))
        guard message.from != message.to else {
            let middle = (x1 + x2) / 2
            return
                "<path class=\"message \(message.kind.rawValue)\" d=\"M\(x1) \(y1) Q\(middle) \(y1 - 30) \(x2) \(y2)\">\(title)</path>\n"
        }
        return
            "<line class=\"message \(message.kind.rawValue)\" x1=\"\(x1)\" y1=\"\(y1)\" x2=\"\(x2)\" y2=\"\(y2)\">\(title)</line>\n"
    }
}

extension SpaceTimeRun.Event {
    /// What a style sheet may say of it.
    fileprivate var classes: String { kind.rawValue + (outlook.map { " \($0.rawValue)" } ?? "") }
}

enum DiagramStyle {
    static let picture = """
        svg { background: #fbfcfd } text { font: 13px system-ui, sans-serif; fill: #24303c }
        text.title { font-weight: 600; font-size: 15px } text.cut { fill: #0b7a75; font-size: 12px }
        text.command { font: 12px ui-monospace, monospace; fill: #66727e }
        line.lane { stroke: #c9d3dc; stroke-width: 1.5 }
        .message { stroke: #3f76b0; stroke-width: 1.4; fill: none } .message.marker { stroke: #d2691e; stroke-dasharray: 6 4 }
        .message.control { stroke: #7d8b99 } .message.lost { stroke-dasharray: 2 3 }
        circle { fill: #4a7fb5; stroke: #fbfcfd; stroke-width: 2 } circle.milestone { fill: #2e8b57 }
        circle.crash { fill: #24303c } circle.violation { fill: #d11a2a }
        circle.open { fill: #8e6bbf } circle.zero { fill: #2f6db5 } circle.one { fill: #c98a00 }
        polyline.cut { fill: none; stroke: #0b7a75; stroke-width: 2.5; opacity: .75 }
        polyline.cut.wrong { stroke: #d11a2a; stroke-dasharray: 3 3 }
        @media (prefers-color-scheme: dark) {
        svg { background: #12181f } text { fill: #dbe4ec } line.lane { stroke: #33404d } circle { stroke: #12181f }
        circle.crash { fill: #dbe4ec } text.command { fill: #8fa0b0 } polyline.cut { stroke: #35b5ae }
        text.cut { fill: #35b5ae } .message { stroke: #6fa8dc } .message.control { stroke: #8896a4 } .message.marker { stroke: #e9965a } }
        """
}
