import Automata

/// When to say that there is no leader: after an election timeout without one, then whenever others are reached
/// than were before, at most once a second, and in any case every ten seconds.
struct QuorumWait: Sendable {
    static let shortest = TimeSpan.seconds(1)
    static let longest = TimeSpan.seconds(10)

    private var said: (at: Instant, reached: [ProcessID])?

    /// `since` is when there was a leader last. There is one again: `ended`.
    mutating func isDue(_ now: Instant, since: Instant, patience: TimeSpan, reached: [ProcessID]) -> Bool {
        guard since + patience <= now else { return false }
        if let said {
            let pause = said.reached == reached ? Self.longest : Self.shortest
            guard said.at + pause <= now else { return false }
        }
        said = (now, reached)
        return true
    }

    mutating func ended() { said = nil }
}

extension Host {
    /// A cluster that does not start is most often one whose members do not reach each other.
    func sayWhoIsMissing() {
        let voters = replica.configuration.voters
        guard leader == nil, stop == nil, !voters.isEmpty else { return quorumWait.ended() }
        let reached = voters.filter { $0 == identity.memberID || network.link(to: $0)?.isConnected == true }
        guard
            quorumWait.isDue(now, since: leaderLost, patience: options.electionTimeout, reached: reached)
        else { return }
        let awaited = reached.count > voters.count / 2 ? "a leader" : "a quorum"
        let names = { (members: [ProcessID]) in
            members.map(self.report.names.name).sorted().joined(separator: ", ")
        }
        report(
            .warning,
            "waiting for \(awaited): reached \(names(reached), as: "reached") of \(names(voters), as: "voters")"
        )
    }
}
