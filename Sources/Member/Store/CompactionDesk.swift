import Automata

/// What of the history goes: when by itself, whether something is left to be removed, and who waits for that.
struct CompactionDesk: Sendable {
    var compactor: AutoCompactor
    /// There may be something to remove physically.
    var hasWork = true
    private var waiters: [(client: ClientToken, revision: Int64)] = []

    init(_ mode: AutoCompaction) { compactor = AutoCompactor(mode) }

    mutating func add(_ revision: Int64, _ client: ClientToken) {
        waiters.append((client, revision))
        hasWork = true
    }

    /// Those who waited for what is removed by now.
    mutating func take(upTo revision: Int64) -> [ClientToken] {
        let done = waiters.filter { $0.revision <= revision }
        waiters.removeAll { $0.revision <= revision }
        return done.map(\.client)
    }

    mutating func takeAll() -> [ClientToken] { take(upTo: .max) }
}
