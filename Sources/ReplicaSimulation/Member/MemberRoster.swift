import Automata
import Paxos
import Simulation

/// Who takes part in a run of members: who has ever been started, who has left, and whose disks are what they were.
struct MemberRoster {
    /// In the order in which they may join.
    private var unused: [ProcessID]
    /// Ascending.
    private(set) var started: [ProcessID]
    private(set) var retired: [ProcessID] = []
    /// Whose votes are gone with their disks, or with what their logs held.
    private(set) var voteless: [ProcessID] = []
    /// Whose next start must be refused, as what a log held that was durable is gone.
    private var mustRefuse: [ProcessID] = []
    /// Whose next start may be refused: the log may still hold everything that a lost store held.
    private var mayRefuse: [ProcessID] = []

    init(_ plan: MemberPlan) {
        started = plan.voters + plan.learners
        unused = plan.spares
    }

    mutating func takeSpare() -> ProcessID? { unused.popLast() }

    mutating func begin(_ process: ProcessID) {
        guard !started.contains(process) else { return }
        started.append(process)
        started.sort()
    }

    mutating func retire(_ process: ProcessID) { retired.append(process) }

    /// Those that run or are to run again.
    var present: [ProcessID] { started.filter { !retired.contains($0) } }

    // MARK: disks

    /// Whether a quorum of either phase is left when nobody else's vote is.
    func canSpare(_ process: ProcessID, of configuration: Configuration) -> Bool {
        let left = configuration.voters.filter { $0 != process && !voteless.contains($0) }
        return !voteless.contains(process) && configuration.isVoter(process)
            && configuration.isPhase1Quorum(left) && configuration.isPhase2Quorum(left)
    }

    mutating func loseVote(_ process: ProcessID, start: Start) {
        if !voteless.contains(process) { voteless.append(process) }
        switch start {
        case .refused: mustRefuse.append(process)
        case .doubtful: mayRefuse.append(process)
        case .empty: break
        }
    }

    /// What a member that has lost something does at its next start.
    enum Start {
        /// It begins as on a new disk.
        case empty
        case refused
        case doubtful
    }

    func mustRefuse(_ process: ProcessID) -> Bool { mustRefuse.contains(process) }
    func mayRefuse(_ process: ProcessID) -> Bool { mustRefuse(process) || mayRefuse.contains(process) }

    /// The member is given an empty disk.
    mutating func replaceDisk(of process: ProcessID) {
        mustRefuse.removeAll { $0 == process }
        mayRefuse.removeAll { $0 == process }
    }

    /// It has made its lost store anew, so that nothing of its promises is missing.
    mutating func noteStarted(_ process: ProcessID) { mayRefuse.removeAll { $0 == process } }
}
