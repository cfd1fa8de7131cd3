/// A run of the adversary: so many deliveries without Ω, and then, where that is asked for, with it.
struct AdversaryReport {
    private(set) var lines: [String] = []
    /// Nobody decided while the adversary was free.
    private(set) var stayedUndecided = true
    private(set) var fairness: SynodAdversary.Fairness
    /// The deliveries after which everybody had decided.
    private(set) var decidedAt: Int?
    private(set) var isSafe = true
    private(set) var watched: [UndecidedRun.Delivery] = []

    /// `omega`: also switches Ω on afterwards and goes on until everybody has decided.
    init(processes: Int, deliveries: Int, seed: UInt64, omega: Bool, watches: Bool = false) {
        let inputs = (0..<processes).map { $0 % 2 == 1 }
        var adversary = SynodAdversary(inputs: inputs, seed: seed, watches: watches)
        lines.append("Paxos with \(processes) proposers, inputs \(ValenceReport.text(inputs)), seed \(seed):")
        while adversary.fairness.deliveries < deliveries, adversary.advance() {
            if adversary.decisions.contains(where: { $0 != nil }) {
                stayedUndecided = false
                break
            }
        }
        fairness = adversary.fairness
        tell(adversary, stayedUndecided ? "nobody has decided" : "somebody has decided")
        if omega, stayedUndecided { followLeader(&adversary) }
        note(adversary)
        watched = adversary.watched ?? []
    }

    private mutating func followLeader(_ adversary: inout SynodAdversary) {
        adversary.follow(0)
        let begun = adversary.fairness.deliveries
        while adversary.decisions.contains(nil), adversary.fairness.deliveries < begun + 1_000_000,
            adversary.advance()
        {
            note(adversary)
        }
        guard !adversary.decisions.contains(nil) else { return }
        decidedAt = adversary.fairness.deliveries
        lines.append(
            "with Ω naming p1, and the same adversary: all have decided \(adversary.decisions[0]?.bit ?? "?") after "
                + "\(adversary.fairness.deliveries - begun) further deliveries; it had to give in "
                + "\(adversary.fairness.surrenders) time(s)")
    }

    /// Agreement and validity.
    private mutating func note(_ adversary: SynodAdversary) {
        let decided = Set(adversary.decisions.compactMap { $0 })
        if decided.count > 1 || !decided.isSubset(of: adversary.inputs) { isSafe = false }
    }

    private mutating func tell(_ adversary: SynodAdversary, _ outcome: String) {
        let fairness = adversary.fairness
        let received = fairness.receivedBy.enumerated().map { "p\($0 + 1) \($1)" }.joined(separator: ", ")
        lines += [
            "after \(fairness.deliveries) deliveries \(outcome); nobody has crashed",
            "fairness: received \(received); \(adversary.pending.count) messages on their way",
            "  no message waited for more than \(fairness.longestWait) deliveries, and none was put off by more than "
                + "\(fairness.longestDetour) (bound \(SynodAdversary.detourLimit)) once it was the oldest",
            "  \(fairness.detours) times the oldest message would have settled it; the highest ballot is of round "
                + "\(fairness.highestRound)",
        ]
    }
}
