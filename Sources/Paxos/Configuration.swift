import Automata

/// Who takes part, numbered. Configuration `epoch` n+1 comes into force in the slot after the one in which
/// the entry that describes it was chosen.
public struct Configuration: Hashable, Sendable {
    public var epoch: UInt64
    /// Members whose answers count, in ascending order.
    public var voters: [ProcessID]
    /// Members that receive everything and whose answers do not count, in ascending order.
    public var learners: [ProcessID]
    public var quorums: QuorumSystem

    public init(
        epoch: UInt64 = 1, voters: [ProcessID], learners: [ProcessID] = [], quorums: QuorumSystem = .majority
    ) {
        self.epoch = epoch
        self.voters = voters.sorted()
        self.learners = learners.sorted()
        self.quorums = quorums
    }
}

/// A change of the configuration, asked of the leader.
public enum ConfigurationChange: Hashable, Sendable {
    case add(ProcessID, asLearner: Bool)
    case remove(ProcessID)
    case replace(ProcessID, with: ProcessID)
    case promote(ProcessID)
    case setQuorums(QuorumSystem)
}

/// Which sets of voters suffice for phase 1 and for phase 2. Every phase-1 quorum meets every phase-2
/// quorum; nothing else is needed (Howard, Malkhi, Spiegelman, Flexible Paxos, OPODIS 2016).
public enum QuorumSystem: Hashable, Sendable {
    case majority
}
