import Automata

/// Who takes part, numbered.
///
/// Every slot is governed by exactly one configuration, which the chosen prefix determines: the configuration
/// in an entry chosen at slot s is in force from slot s + 1 on.
public struct Configuration: Hashable, Sendable {
    /// 0 for a process that joins and has not learnt any configuration yet, 1 for the first of a cluster.
    public let epoch: UInt64
    /// Members whose answers count, in ascending order.
    public let voters: [ProcessID]
    /// Members that receive everything and whose answers do not count, in ascending order.
    public let learners: [ProcessID]
    public let quorums: QuorumSystem
    /// In ascending order of the processes, which are voters. Empty where voters are known by their names
    /// alone, as in a cluster that was formed before disks had names.
    public let disks: [MemberDisk]

    /// A configuration in which any majority of the voters is a quorum.
    public init(
        epoch: UInt64 = 1, voters: [ProcessID], learners: [ProcessID] = [], disks: [MemberDisk] = []
    ) {
        self.init(unchecked: epoch, voters: voters, learners: learners, quorums: .majority, disks: disks)
    }

    /// Throws `ConfigurationError` when a phase-1 quorum could miss a phase-2 quorum, or when a process is
    /// named twice.
    public init(
        epoch: UInt64 = 1, voters: [ProcessID], learners: [ProcessID] = [], quorums: QuorumSystem,
        disks: [MemberDisk] = []
    ) throws(ConfigurationError) {
        self.init(unchecked: epoch, voters: voters, learners: learners, quorums: quorums, disks: disks)
        try validate()
    }

    private init(
        unchecked epoch: UInt64, voters: [ProcessID], learners: [ProcessID], quorums: QuorumSystem,
        disks: [MemberDisk]
    ) {
        self.epoch = epoch
        self.voters = voters.sorted()
        self.learners = learners.sorted()
        self.quorums = quorums
        self.disks = disks.sorted { $0.process < $1.process }
    }

    /// What a process that joins an existing cluster starts from: it learns the rest from the others.
    public static let unknown = Configuration(epoch: 0, voters: [])

    @inlinable public func isVoter(_ process: ProcessID) -> Bool { voters.contains(process) }
    @inlinable public func isLearner(_ process: ProcessID) -> Bool { learners.contains(process) }
    @inlinable public func isMember(_ process: ProcessID) -> Bool { isVoter(process) || isLearner(process) }

    public func isPhase1Quorum(_ processes: [ProcessID]) -> Bool {
        quorums.isPhase1Quorum(of: voters) { processes.contains($0) }
    }

    public func isPhase2Quorum(_ processes: [ProcessID]) -> Bool {
        quorums.isPhase2Quorum(of: voters) { processes.contains($0) }
    }

    /// The highest value that a whole phase-2 quorum has reached, given what every voter has reached.
    @inlinable public func reachedByPhase2Quorum(_ reached: (ProcessID) -> UInt64) -> UInt64 {
        var highest: UInt64 = 0
        for voter in voters {
            let candidate = reached(voter)
            if candidate > highest, quorums.isPhase2Quorum(of: voters, where: { reached($0) >= candidate }) {
                highest = candidate
            }
        }
        return highest
    }

    private func validate() throws(ConfigurationError) {
        let members = (voters + learners).sorted()
        for (one, next) in zip(members, members.dropFirst()) where one == next {
            throw ConfigurationError(.namedTwice, "\(one) is named twice")
        }
        for (one, next) in zip(disks, disks.dropFirst()) where one.process == next.process {
            throw ConfigurationError(.namedTwice, "\(one.process) has two disks")
        }
        for member in disks where !isVoter(member.process) {
            throw ConfigurationError(.wrongSubject, "\(member.process) has a disk and is no voter")
        }
        try quorums.validate(for: voters)
    }
}

/// Why a configuration is refused.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// There is no voter.
        case noVoters
        /// A process is named twice.
        case namedTwice
        /// The quorum system does not fit the voters.
        case doesNotFit
        /// Some phase-1 quorum misses some phase-2 quorum.
        case quorumsDoNotMeet
        /// The subject of a change is not a member, or is one already.
        case wrongSubject
        /// A process was to become a voter, and with which disk it takes part is not known.
        case unknownDisk
    }
    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
