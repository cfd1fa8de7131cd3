import TextForms

/// Every scenario.
public enum LabCatalogue {
    public static let scenarios: [LabScenario] = [
        SnapshotScenario.tokens, SnapshotScenario.bank, SynodScenario.duel, UndecidedScenario.adversary,
        BenOrScenario.coins, ChatScenario.chat, AuctionScenario.auction, CrashScenario.crash,
        FailoverScenario.failover,
    ]

    public static func scenario(_ name: String) throws -> LabScenario {
        guard let found = scenarios.first(where: { $0.name == name }) else {
            let names = scenarios.map(\.name)
            if let meant = NearestName.of(name, in: names) {
                throw LabError("there is no scenario \"\(name)\"; did you mean \(meant)?")
            }
            throw LabError("there is no scenario \"\(name)\"; there are \(names.joined(separator: ", "))")
        }
        return found
    }
}
