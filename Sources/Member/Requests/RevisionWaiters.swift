import Automata

/// Clients that want to read here what they have seen elsewhere: they wait until this member has applied a revision, and
/// need no leader for it.
struct RevisionWaiters: Sendable {
    private var waiting: [(client: ClientToken, revision: Int64, deadline: Instant)] = []

    var isEmpty: Bool { waiting.isEmpty }

    mutating func add(_ client: ClientToken, _ revision: Int64, until deadline: Instant) {
        waiting.append((client, revision, deadline))
    }

    /// Those whose revision is applied.
    mutating func take(upTo revision: Int64) -> [ClientToken] { take { $0.revision <= revision } }

    mutating func takeLate(at now: Instant) -> [ClientToken] { take { $0.deadline < now } }

    mutating func takeAll() -> [ClientToken] { take { _ in true } }

    private mutating func take(
        _ isWanted: ((client: ClientToken, revision: Int64, deadline: Instant)) -> Bool
    ) -> [ClientToken] {
        guard waiting.contains(where: isWanted) else { return [] }
        let taken = waiting.filter(isWanted)
        waiting.removeAll(where: isWanted)
        return taken.map(\.client)
    }
}
