import Automata

/// Phase 2 of a proposer: up to which slot every acceptor has accepted what was proposed at one ballot.
///
/// Acceptors accept in the order of slots, so one slot per acceptor says it all, and a slot is chosen once a
/// phase-2 quorum has reached it.
public struct AcceptanceTally: Hashable, Sendable {
    public let ballot: Ballot
    /// In ascending order of acceptors.
    private var reached: [Reached] = []

    private struct Reached: Hashable, Sendable {
        let acceptor: ProcessID
        var slot: Slot
    }

    public init(ballot: Ballot) { self.ballot = ballot }

    /// Up to where this acceptor is known to have accepted; zero when it never answered.
    public subscript(acceptor: ProcessID) -> Slot {
        for one in reached where one.acceptor == acceptor { return one.slot }
        return .zero
    }

    /// The acceptor has accepted, durably, every slot up to `slot` at this ballot or knows it to be chosen.
    /// Answers may come late and twice.
    public mutating func record(_ acceptor: ProcessID, upTo slot: Slot) {
        for index in reached.indices where reached[index].acceptor == acceptor {
            if slot > reached[index].slot { reached[index].slot = slot }
            return
        }
        let place = reached.firstIndex { $0.acceptor > acceptor } ?? reached.count
        reached.insert(Reached(acceptor: acceptor, slot: slot), at: place)
    }

    /// The last slot that a phase-2 quorum of `configuration` has reached.
    public func chosenUpTo(in configuration: Configuration) -> Slot {
        Slot(configuration.reachedByPhase2Quorum { self[$0].rawValue })
    }
}
