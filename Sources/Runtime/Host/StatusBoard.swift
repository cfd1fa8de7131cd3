import Automata
import Coordination
import Member
import Paxos
import Synchronization

/// What any thread may know of the replica thread's state.
final class StatusBoard: Sendable {
    struct State {
        var member = MemberGlance()
        var members: [ServiceMember] = []
        var isLearner = false
        var isRunning = true
    }

    private let state = Mutex(State())

    func update(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    var current: State { state.withLock { $0 } }

    var isRunning: Bool { state.withLock { $0.isRunning } }
}
