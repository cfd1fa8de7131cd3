import Automata
import Member
import Paxos
import Simulation

// Members that come and go: what operators ask for while faults strike.
extension MemberRun {
    mutating func changeMembers() throws(Violation) {
        guard !up.isEmpty, let (change, joining) = drawnChange() else { return }
        if let joining {
            roster.begin(joining)
            cluster.start(joining)
            try onNews()
        }
        let process = clients.pick(up)
        try submit(clients.change(change, at: process, knowing: judge.known, at: cluster.now), to: process)
    }

    /// A change, and who is to be started for it. A new member has an empty disk, of which a voter's name is told.
    private mutating func drawnChange() -> (ConfigurationChange, joining: ProcessID?)? {
        let configuration = judge.membership.configuration
        switch plan.troubles.changes {
        case .none: return nil
        case .any: return drawnChange(of: configuration)
        case .repairs:
            let learner = configuration.learners.first
            guard let old = configuration.voters.first(where: { roster.voteless.contains($0) }) else {
                return learner == nil ? drawnSpare().map { (.add($0, asLearner: true), $0) } : nil
            }
            if let learner, random.coin() { return (.replace(old, with: learner), nil) }
            return drawnSpare().map { (.replace(old, with: $0, disk: disks.disk(of: $0)), $0) }
        }
    }

    private mutating func drawnChange(
        of configuration: Configuration
    ) -> (ConfigurationChange, joining: ProcessID?)? {
        let (voters, learners) = (configuration.voters, configuration.learners)
        switch random.index(7) {
        case 0: return drawnSpare().map { (.add($0, asLearner: true), $0) }
        case 1: return drawnSpare().map { (.add($0, asLearner: false, disk: disks.disk(of: $0)), $0) }
        case 2: return voters.count > 1 ? (.remove(drawnVoter(voters)), nil) : nil
        case 3: return learners.isEmpty ? nil : (.remove(random.element(learners)), nil)
        case 4:
            let old = random.element(voters)
            return drawnSpare().map { (.replace(old, with: $0, disk: disks.disk(of: $0)), $0) }
        case 5 where !learners.isEmpty:
            return (.replace(random.element(voters), with: random.element(learners)), nil)
        default: return learners.isEmpty ? nil : (.promote(random.element(learners)), nil)
        }
    }

    /// Whoever leads more often than another.
    private mutating func drawnVoter(_ voters: [ProcessID]) -> ProcessID {
        let leader = voters.first { cluster[$0]?.member?.replica.isLeader == true }
        let any = random.element(voters)
        return random.chance(300_000) ? leader ?? any : any
    }

    private mutating func drawnSpare() -> ProcessID? { roster.takeSpare() }

    // MARK: what is worth coming by

    /// Who began on an empty disk as a member to be has applied what the cluster had.
    mutating func noteCaughtUp(_ process: ProcessID) {
        guard !plan.voters.contains(process), !plan.learners.contains(process),
            cluster.incarnation(of: process) == 1
        else { return }
        statistics.note(.newMemberCaughtUp)
    }

    mutating func noteRead(at process: ProcessID) {
        if judge.membership.configuration.isLearner(process) { statistics.note(.readAtLearner) }
    }

    // MARK: judging

    /// Once for each change, when somebody has applied it first.
    mutating func noteChanges(by process: ProcessID) {
        guard judge.membership.changes > notedChanges, let point = judge.membership.latestChange else {
            return
        }
        notedChanges = judge.membership.changes
        statistics.note(point)
        let now = judge.membership.configuration
        if point == .memberReplaced, roster.voteless.contains(where: { judge.membership.wasRemoved($0) }) {
            statistics.note(.votelessReplaced)
        }
        if let lastLeader, !now.isMember(lastLeader) { statistics.note(.leaderRemoved) }
        lastLeader = nil
    }

    mutating func onRetired(_ process: ProcessID) throws(Violation) {
        guard judge.membership.wasRemoved(process) || plan.troubles.changes != .none else {
            throw Violation(.invariant, "\(process) was removed by nobody")
        }
        statistics.note(.retired)
        roster.retire(process)
        cluster.stop(process)
        lose(process)
    }

    /// What a member shows of itself after each step.
    mutating func look(at process: ProcessID) throws(Violation) {
        let seen = cluster.inspect(process) { host in
            host.member.map {
                ($0.replica.chosenUpTo, $0.replica.isLeader, $0.replica.brokenInvariants.first)
            }
        }
        guard let (chosen, isLeader, broken) = seen ?? nil else { return }
        if let broken { throw Violation(.invariant, "\(process): \(broken)") }
        try witness.check(claim: chosen, of: process)
        guard isLeader else { return }
        lastLeader = process
        try judge.membership.judgeLead(of: process)
    }
}
