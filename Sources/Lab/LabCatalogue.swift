/// Every scenario.
public enum LabCatalogue {
    public static let scenarios: [LabScenario] = [
        SnapshotScenario.tokens, SnapshotScenario.bank, SynodScenario.duel, UndecidedScenario.adversary,
        BenOrScenario.coins, ChatScenario.chat, AuctionScenario.auction, CrashScenario.crash,
        FailoverScenario.failover,
    ]

    public static func scenario(_ name: String) throws -> LabScenario {
        guard let found = scenarios.first(where: { $0.name == name }) else {
            throw LabError(
                "there is no scenario \"\(name)\"; there are \(scenarios.map(\.name).joined(separator: ", "))"
            )
        }
        return found
    }
}
