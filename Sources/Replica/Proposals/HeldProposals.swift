import Automata
import Paxos

/// What clients want to be chosen while a leader can propose nothing, in order.
struct HeldProposals: Hashable, Sendable {
    struct Held: Hashable, Sendable {
        let proposal: Proposal
        let origin: Origin
    }

    private var held: [Held] = []
    private(set) var bytes = 0

    var count: Int { held.count }
    var isEmpty: Bool { held.isEmpty }

    mutating func append(_ proposal: Proposal, from origin: Origin, bytes: Int) {
        held.append(Held(proposal: proposal, origin: origin))
        self.bytes += bytes
    }

    mutating func takeAll() -> [Held] {
        defer { self = HeldProposals() }
        return held
    }
}
