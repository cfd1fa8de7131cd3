extension ValenceReport {
    func json(name: String) -> String {
        let rows = rows.map { row in
            let counts = zip(Valence.allCases, row.counts).map { "\"\($0)\":\($1)" }.joined(separator: ",")
            return "{\"inputs\":\"\(Self.text(row.inputs))\",\"initial\":\"\(row.initial)\",\(counts)}"
        }
        return "{\"protocol\":\"\(name)\",\"disagrees\":\(disagrees),\"complete\":\(unfinished == nil),"
            + "\"interrupted\":\(isInterrupted),"
            + (unfinished.map {
                "\"unfinished\":{\"inputs\":\"\(Self.text($0.inputs))\",\"configurations\":\($0.configurations)},"
            } ?? "") + "\"rows\":[" + rows.joined(separator: ",") + "]}"
    }
}

extension AdversaryReport {
    func json(seed: Int) -> String {
        "{\"seed\":\(seed),\"deliveries\":\(fairness.deliveries),\"undecided\":\(stayedUndecided),\"safe\":\(isSafe),"
            + "\"received\":[\(fairness.receivedBy.map(String.init).joined(separator: ","))],"
            + "\"longestWait\":\(fairness.longestWait),\"longestDetour\":\(fairness.longestDetour),"
            + "\"detours\":\(fairness.detours),\"surrenders\":\(fairness.surrenders),"
            + "\"decidedAt\":\(decidedAt.map(String.init) ?? "null")}"
    }
}
