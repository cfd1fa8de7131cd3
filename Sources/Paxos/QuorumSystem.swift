import Automata

/// Which sets of voters suffice for phase 1 and for phase 2.
///
/// Safety needs only that every phase-1 quorum meets every phase-2 quorum (Howard, Malkhi, Spiegelman,
/// Flexible Paxos, OPODIS 2016). Whether a system does so depends on the voters as well, so the check is
/// made where the two come together: `Configuration.init` throws when they do not meet.
public enum QuorumSystem: Hashable, Sendable {
    /// More than half of the voters, for both phases.
    case majority
    /// Any `phase1` voters for phase 1 and any `phase2` voters for phase 2.
    case flexible(phase1: Int, phase2: Int)
    /// Voters whose weights add up to at least the threshold of the phase.
    case weighted([Weight], phase1: UInt64, phase2: UInt64)
    /// The voters in rows: a whole row is a phase-2 quorum, one voter out of every row a phase-1 quorum.
    case grid(rows: [[ProcessID]])

    public struct Weight: Hashable, Sendable {
        public let process: ProcessID
        public let weight: UInt64

        public init(_ process: ProcessID, _ weight: UInt64) {
            self.process = process
            self.weight = weight
        }
    }

    /// Whether the voters for which `answers` holds suffice for phase 1.
    public func isPhase1Quorum(of voters: [ProcessID], where answers: (ProcessID) -> Bool) -> Bool {
        switch self {
        case .majority:
            return count(voters, where: answers) > voters.count / 2
        case .flexible(let phase1, _):
            return count(voters, where: answers) >= phase1
        case .weighted(let weights, let phase1, _):
            return sum(weights, where: answers) >= phase1
        case .grid(let rows):
            return rows.allSatisfy { $0.contains(where: answers) }
        }
    }

    /// Whether the voters for which `answers` holds suffice for phase 2.
    public func isPhase2Quorum(of voters: [ProcessID], where answers: (ProcessID) -> Bool) -> Bool {
        switch self {
        case .majority:
            return count(voters, where: answers) > voters.count / 2
        case .flexible(_, let phase2):
            return count(voters, where: answers) >= phase2
        case .weighted(let weights, _, let phase2):
            return sum(weights, where: answers) >= phase2
        case .grid(let rows):
            return rows.contains { $0.allSatisfy(answers) }
        }
    }

    /// Throws unless the system fits these voters and every phase-1 quorum meets every phase-2 quorum.
    public func validate(for voters: [ProcessID]) throws(ConfigurationError) {
        guard !voters.isEmpty else { throw ConfigurationError(.noVoters, "there is no voter") }
        switch self {
        case .majority: break
        case .flexible(let phase1, let phase2):
            let sizes = 1...voters.count
            guard sizes.contains(phase1), sizes.contains(phase2) else {
                throw ConfigurationError(
                    .doesNotFit, "quorums of \(phase1) and \(phase2) out of \(voters.count) voters")
            }
            guard phase1 + phase2 > voters.count else { throw .missing(phase1, phase2, of: voters.count) }
        case .weighted(let weights, let phase1, let phase2):
            guard weights.map(\.process).sorted() == voters else {
                throw ConfigurationError(.doesNotFit, "the weights do not name every voter once")
            }
            guard weights.allSatisfy({ $0.weight <= 1 << 32 }) else {
                throw ConfigurationError(.doesNotFit, "a weight is above 2^32")
            }
            let total = weights.reduce(0) { $0 + $1.weight }
            guard (1...max(total, 1)).contains(phase1), (1...max(total, 1)).contains(phase2), total > 0 else {
                throw ConfigurationError(
                    .doesNotFit, "thresholds of \(phase1) and \(phase2) of a total weight of \(total)")
            }
            guard phase1 + phase2 > total else { throw .missing(phase1, phase2, of: total) }
        case .grid(let rows):
            guard rows.allSatisfy({ !$0.isEmpty }), rows.flatMap({ $0 }).sorted() == voters else {
                throw ConfigurationError(.doesNotFit, "the rows do not name every voter once")
            }
        }
    }

    private func count(_ voters: [ProcessID], where answers: (ProcessID) -> Bool) -> Int {
        var count = 0
        for voter in voters where answers(voter) { count += 1 }
        return count
    }

    private func sum(_ weights: [Weight], where answers: (ProcessID) -> Bool) -> UInt64 {
        var sum: UInt64 = 0
        for weight in weights where answers(weight.process) { sum += weight.weight }
        return sum
    }
}

extension ConfigurationError {
    fileprivate static func missing<N: BinaryInteger>(_ phase1: N, _ phase2: N, of total: N) -> Self {
        ConfigurationError(
            .quorumsDoNotMeet,
            "a phase-1 quorum of \(phase1) can miss a phase-2 quorum of \(phase2) out of \(total)")
    }
}
