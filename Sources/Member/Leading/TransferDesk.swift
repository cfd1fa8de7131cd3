import Automata

/// Leadership on its way to another member: who waits for it, how far this member is with leaving it before it stops,
/// and which members that stop wait for a word from this one.
struct TransferDesk: Sendable {
    /// Leadership on its way to another member, because this one is about to stop.
    struct Handover: Sendable {
        /// Not asked yet, the best first.
        var heirs: [ProcessID]
        let deadline: Instant
        /// Members that may still send here what they want proposed; nil while this process leads.
        var unaware: [ProcessID]?

        /// Two heirs have time to be tried.
        static func timeLimit(electionTimeout: TimeSpan) -> TimeSpan {
            min(electionTimeout * 2, .seconds(3))
        }
    }

    private var waiters: [(client: ClientToken, deadline: Instant)] = []
    /// When the lead may be offered again because of a disk that hangs.
    private var nextOffer = Instant.zero
    var handover: Handover?
    /// Members that have led and stop, and are to hear when this process follows another.
    private var farewells: [ProcessID] = []

    var isHandingOver: Bool { handover != nil }

    mutating func add(_ client: ClientToken, until deadline: Instant) { waiters.append((client, deadline)) }

    mutating func takeAll() -> [ClientToken] {
        defer { waiters = [] }
        return waiters.map(\.client)
    }

    mutating func removeLate(at now: Instant) -> [ClientToken] {
        let late = waiters.filter { $0.deadline < now }
        waiters.removeAll { $0.deadline < now }
        return late.map(\.client)
    }

    func mayOffer(at now: Instant) -> Bool { nextOffer < now }
    mutating func offered(nextAt time: Instant) { nextOffer = time }

    mutating func noteFarewell(of process: ProcessID) {
        if !farewells.contains(process) { farewells.append(process) }
    }

    /// Those who can be answered now that this process follows another than them.
    mutating func takeFarewells(leader: ProcessID?) -> [ProcessID] {
        defer { farewells.removeAll { $0 != leader } }
        return farewells.filter { $0 != leader }
    }
}
