import Automata
import Coordination
import Paxos
import Synchronization

/// What any thread may know of the replica thread's state.
final class StatusBoard: Sendable {
    struct State {
        var leader: ProcessID?
        var ballotRound: UInt64 = 0
        var chosen = Slot.zero
        var applied = Slot.zero
        var revision: Int64 = 1
        var compactRevision: Int64 = 0
        var alarms: [Alarm] = []
        var members: [ServiceMember] = []
        var isLearner = false
        var pendingProposals = 0
        var leases = 0
        var isRunning = true
    }

    private let state = Mutex(State())

    func update(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    var current: State { state.withLock { $0 } }

    var isRunning: Bool { state.withLock { $0.isRunning } }
}
