import Automata
import Paxos

/// What follows from who the members are: those who were removed, and know it, neither lead nor answer linearizable reads.
struct MembershipJudge {
    /// In force behind the slot, ascending.
    private var configurations: [(slot: Slot, configuration: Configuration)]
    /// Who has applied that it is no member any more, and when.
    private var leavers: [ProcessID: Instant] = [:]

    init(_ first: Configuration) { configurations = [(.zero, first)] }

    /// In force behind everything that was applied.
    var configuration: Configuration { configurations[configurations.count - 1].configuration }
    var changes: Int { configurations.count - 1 }

    mutating func append(_ configuration: Configuration, at slot: Slot) {
        configurations.append((slot, configuration))
    }

    private func inForce(behind slot: Slot) -> (slot: Slot, configuration: Configuration) {
        configurations.last { $0.slot <= slot } ?? configurations[0]
    }

    /// The process has applied everything up to this slot, or holds as much after a start.
    mutating func note(_ process: ProcessID, at slot: Slot, _ now: Instant) {
        let isMember = inForce(behind: slot).configuration.isMember(process)
        let wasMember = configurations.contains { $0.slot <= slot && $0.configuration.isMember(process) }
        if isMember || !wasMember {
            leavers[process] = nil
        } else if leavers[process] == nil {
            leavers[process] = now
        }
    }

    func wasRemoved(_ process: ProcessID) -> Bool {
        !configuration.isMember(process) && configurations.contains { $0.configuration.isMember(process) }
    }

    func judgeRead(at process: ProcessID, askedAt invoked: Instant) throws(Violation) {
        guard let since = leavers[process], since < invoked else { return }
        throw Violation(
            .linearizability, "\(process) answered a read that came after it knew that it is no member")
    }

    /// A leader that is removed completes the change, and leads no longer than until that is chosen and applied.
    func judgeLead(of process: ProcessID) throws(Violation) {
        guard leavers[process] != nil else { return }
        throw Violation(.invariant, "\(process) leads and knows that it is no member")
    }

    /// Points of the latest change.
    var latestChange: MemberPoint? {
        guard configurations.count > 1 else { return nil }
        let (old, new) = (configurations[configurations.count - 2].configuration, configuration)
        let joined = (new.voters + new.learners).filter { !old.isMember($0) }
        let left = (old.voters + old.learners).filter { !new.isMember($0) }
        if new.voters.contains(where: { old.isLearner($0) }) {
            return left.isEmpty ? .learnerPromoted : .memberReplaced
        }
        if !joined.isEmpty, !left.isEmpty { return .memberReplaced }
        if let first = joined.first { return new.isLearner(first) ? .learnerAdded : .voterAdded }
        return .memberRemoved
    }
}
