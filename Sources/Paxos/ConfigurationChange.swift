import Automata

/// A change of the configuration, asked of the leader. The id of a process that was removed is never used
/// again: a process that comes back is a new one.
public enum ConfigurationChange: Hashable, Sendable {
    /// `disk`: with which a new voter takes part; needed where the configuration names disks. A learner's is
    /// taken when it is promoted.
    case add(ProcessID, asLearner: Bool, disk: DiskID? = nil)
    case remove(ProcessID)
    case replace(ProcessID, with: ProcessID, disk: DiskID? = nil)
    case promote(ProcessID)
    case setQuorums(QuorumSystem)
}

extension Configuration {
    /// The configuration that follows this one by `change`.
    ///
    /// A voter that joins a weighted system starts with weight 0, one that replaces another takes its weight
    /// or its place in the grid. A grid grows only by `setQuorums` after its members are learners.
    ///
    /// A process becomes a voter together with the disk that it then has, in an entry that is chosen without
    /// its vote; a voter's disk never changes. `learnerDisk` is what the subject, a learner so far, has said.
    public func applying(
        _ change: ConfigurationChange, learnerDisk: DiskID? = nil
    ) throws(ConfigurationError) -> Configuration {
        var voters = self.voters
        var learners = self.learners
        var quorums = self.quorums
        var disks = self.disks
        switch change {
        case .add(let process, let asLearner, let disk):
            guard !isMember(process) else {
                throw ConfigurationError(.wrongSubject, "\(process) is a member")
            }
            if asLearner {
                learners.append(process)
            } else {
                voters.append(process)
                quorums = quorums.adding(process)
                try bind(process, disk, in: &disks)
            }
        case .remove(let process):
            guard isMember(process) else {
                throw ConfigurationError(.wrongSubject, "\(process) is no member")
            }
            voters.removeAll { $0 == process }
            learners.removeAll { $0 == process }
            quorums = quorums.removing(process)
        case .replace(let old, let new, let disk):
            guard isMember(old) else { throw ConfigurationError(.wrongSubject, "\(old) is no member") }
            guard !isVoter(new), !isLearner(new) || isVoter(old) else {
                throw ConfigurationError(.wrongSubject, "\(new) is a member")
            }
            let wasVoter = isVoter(old)
            voters.removeAll { $0 == old }
            learners.removeAll { $0 == old || $0 == new }
            if wasVoter {
                voters.append(new)
                try bind(new, disk ?? learnerDisk, in: &disks)
            } else {
                learners.append(new)
            }
            quorums = quorums.replacing(old, with: new)
        case .promote(let process):
            guard isLearner(process) else {
                throw ConfigurationError(.wrongSubject, "\(process) is no learner")
            }
            learners.removeAll { $0 == process }
            voters.append(process)
            quorums = quorums.adding(process)
            try bind(process, learnerDisk, in: &disks)
        case .setQuorums(let system):
            quorums = system
        }
        disks.removeAll { !voters.contains($0.process) }
        return try Configuration(
            epoch: epoch + 1, voters: voters, learners: learners, quorums: quorums, disks: disks)
    }

    private func bind(
        _ process: ProcessID, _ disk: DiskID?, in disks: inout [MemberDisk]
    ) throws(ConfigurationError) {
        if let disk {
            disks.append(MemberDisk(process, disk))
        } else if !disks.isEmpty {
            throw ConfigurationError(.unknownDisk, "the disk of \(process) is not known")
        }
    }
}

extension QuorumSystem {
    fileprivate func adding(_ process: ProcessID) -> QuorumSystem {
        guard case .weighted(let weights, let phase1, let phase2) = self else { return self }
        return .weighted(weights + [Weight(process, 0)], phase1: phase1, phase2: phase2)
    }

    fileprivate func removing(_ process: ProcessID) -> QuorumSystem {
        switch self {
        case .majority, .flexible: return self
        case .weighted(let weights, let phase1, let phase2):
            return .weighted(weights.filter { $0.process != process }, phase1: phase1, phase2: phase2)
        case .grid(let rows):
            return .grid(rows: rows.map { $0.filter { $0 != process } }.filter { !$0.isEmpty })
        }
    }

    fileprivate func replacing(_ old: ProcessID, with new: ProcessID) -> QuorumSystem {
        switch self {
        case .majority, .flexible: return self
        case .weighted(let weights, let phase1, let phase2):
            return .weighted(
                weights.map { $0.process == old ? Weight(new, $0.weight) : $0 }, phase1: phase1,
                phase2: phase2)
        case .grid(let rows):
            return .grid(rows: rows.map { $0.map { $0 == old ? new : $0 } })
        }
    }
}
