import Linearizability
import TextForms

extension HistoryVerdict {
    private static var shownOperations: Int { 400 }
    private static var columnWidth: Int { 8 }
    private static var laneHeight: Int { 44 }
    private static var labelWidth: Int { 96 }

    /// A picture in SVG: of a history without an explanation what it is cut down to, otherwise its first operations
    /// with the moments, numbered, at which they took effect in the order that was found.
    public func svg(name: String, model: ObjectModel) -> String {
        let part = clearestViolation ?? parts.first
        let violated = outcome == .violated
        let all = violated ? part?.cutDown ?? [] : part?.operations ?? []
        let shown = Array(all.prefix(Self.shownOperations))
        let lanes = HistoryLanes(shown, margin: 4)
        let width = Self.labelWidth + lanes.width * Self.columnWidth + 40
        let height = 64 + max(1, lanes.processes.count) * Self.laneHeight + 12
        var body = ""
        let key = part?.key.map { ", key \($0)" } ?? ""
        let cut = all.count > shown.count ? ", the first \(shown.count) of \(all.count) operations" : ""
        body += text(
            16, 28, "title",
            "\(name): \(violated ? "not linearizable" : outcome.rawValue) as \(model.rawValue)")
        body += text(
            16, 48, "note", (violated ? "operations that no order explains" : "one explanation") + key + cut)
        for (lane, process) in lanes.processes.enumerated() {
            let y = 64 + lane * Self.laneHeight
            body += text(16, y + 26, "lane", "process \(process)")
            body +=
                "<line class=\"lane\" x1=\"\(Self.labelWidth)\" x2=\"\(width - 16)\" y1=\"\(y + 22)\" y2=\"\(y + 22)\"/>\n"
        }
        var place: [Int: Int] = [:]
        for (number, index) in (violated ? [] : part?.order ?? []).enumerated() { place[index] = number + 1 }
        for (index, bar) in lanes.bars.enumerated() {
            let y = 64 + bar.lane * Self.laneHeight + 6
            let x = Self.labelWidth + bar.start * Self.columnWidth
            let end = bar.end.map { Self.labelWidth + $0 * Self.columnWidth } ?? width - 16
            let isCulprit = violated && bar.operation.returned == part?.cutDown.compactMap(\.returned).max()
            let kind = isCulprit ? "culprit" : bar.end == nil ? "open" : "known"
            body +=
                "<rect class=\"\(kind)\" x=\"\(x)\" y=\"\(y)\" width=\"\(end - x)\" height=\"32\" rx=\"6\"/>\n"
            let number = place[index].map { "\($0). " } ?? ""
            body += text(x + 10, y + 21, "operation", number + bar.operation.shortText)
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
            viewBox="0 0 \(width) \(height)" role="img" aria-label="\(XMLText.escaped(name))">
            <style>
            text { font: 13px ui-monospace, monospace; fill: #1d2733 }
            .title { font-weight: 600 } .note, text.lane { fill: #5b6b7b }
            rect { fill: #dce9f7; stroke: #4a7fb5 } rect.open { fill: #f3f0e3; stroke: #b59f4a; stroke-dasharray: 5 4 }
            rect.culprit { fill: #f9dcd9; stroke: #c0392b } line { stroke: #d5dde5 }
            @media (prefers-color-scheme: dark) {
            text { fill: #e6edf3 } .note, text.lane { fill: #9aa7b4 } rect { fill: #1f3247 } rect.open { fill: #3a3420 }
            rect.culprit { fill: #4a2320 } line { stroke: #38434f } svg { background: #12181f } }
            </style>
            \(body)</svg>

            """
    }

    private func text(_ x: Int, _ y: Int, _ kind: String, _ content: String) -> String {
        "<text class=\"\(kind)\" x=\"\(x)\" y=\"\(y)\">\(XMLText.escaped(content))</text>\n"
    }
}
