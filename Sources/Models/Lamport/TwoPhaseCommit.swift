import Automata
import ModelChecking

/// Two-phase commit by the set of all messages ever sent.
/// (Gray, Lamport, Consensus on Transaction Commit, TODS 2006, and its TLA+ module TwoPhase.)
///
/// ```
///   resource manager        transaction manager
///      │ prepared(r) ────────────▶│  all have prepared: commits
///      │◀──── commit or abort ────│  or aborts at any time before
/// ```
///
/// A resource manager may abort by itself until it has prepared. The state has two bits for the transaction
/// manager, whose message follows from its state, and for each resource manager two bits for its state, one
/// for its message, and one that says whether the transaction manager has received it.
struct TwoPhaseCommit: Model {
    typealias State = UInt64

    enum Action: Sendable {
        case commit
        case abort
        case receivePrepared(Int)
        case prepare(Int)
        case chooseToAbort(Int)
        case receiveCommit(Int)
        case receiveAbort(Int)
    }

    enum Phase: Int { case working, prepared, committed, aborted }

    static let mostResourceManagers = 15
    let resourceManagers: Int

    init(resourceManagers: Int) {
        precondition((1...Self.mostResourceManagers).contains(resourceManagers))
        self.resourceManagers = resourceManagers
    }

    func initialStates() -> [UInt64] { [0] }

    // The transaction manager's two bits come last; it is never prepared.
    private static let manager = 60
    @inline(__always) private func phase(_ state: UInt64, _ r: Int) -> Phase {
        Phase(rawValue: state.field(4 * r, 2))!
    }
    @inline(__always) private func hasSent(_ state: UInt64, _ r: Int) -> Bool { state.bit(4 * r + 2) }
    @inline(__always) private func isReceived(_ state: UInt64, _ r: Int) -> Bool { state.bit(4 * r + 3) }
    @inline(__always) private func manager(_ state: UInt64) -> Phase {
        Phase(rawValue: state.field(Self.manager, 2))!
    }
    /// The same bit of every resource manager.
    private func every(_ place: Int) -> UInt64 {
        0x0111_1111_1111_1111 << UInt64(place) & (1 << UInt64(4 * resourceManagers) - 1)
    }

    func addActions(in state: UInt64, to actions: inout [Action]) {
        let manager = manager(state)
        if manager == .working {
            if state & every(3) == every(3) { actions.append(.commit) }
            actions.append(.abort)
        }
        for r in 0..<resourceManagers {
            let phase = phase(state, r)
            if manager == .working, hasSent(state, r), !isReceived(state, r) {
                actions.append(.receivePrepared(r))
            }
            if phase == .working {
                actions.append(.prepare(r))
                actions.append(.chooseToAbort(r))
            }
            if manager == .committed, phase != .committed { actions.append(.receiveCommit(r)) }
            if manager == .aborted, phase != .aborted { actions.append(.receiveAbort(r)) }
        }
    }

    func successor(of state: UInt64, by action: Action) -> UInt64? {
        var next = state
        switch action {
        case .commit: next.setField(Self.manager, 2, to: Phase.committed.rawValue)
        case .abort: next.setField(Self.manager, 2, to: Phase.aborted.rawValue)
        case .receivePrepared(let r): next.setBit(4 * r + 3)
        case .prepare(let r):
            next.setField(4 * r, 2, to: Phase.prepared.rawValue)
            next.setBit(4 * r + 2)
        case .chooseToAbort(let r), .receiveAbort(let r):
            next.setField(4 * r, 2, to: Phase.aborted.rawValue)
        case .receiveCommit(let r): next.setField(4 * r, 2, to: Phase.committed.rawValue)
        }
        return next
    }

    var properties: [Property<UInt64>] {
        // Committed is 10 and aborted 11 in binary.
        let (high, low) = (every(1), every(0))
        return [
            .always("consistent") { state in
                let decided = state & high
                let aborted = decided >> 1 & state & low
                return aborted == 0 || decided == aborted << 1
            },
            .sometimes("all commit") { $0 & (high | low) == high },
            .sometimes("all abort") { $0 & (high | low) == high | low },
        ]
    }

    func describe(_ action: Action, in state: UInt64) -> String {
        switch action {
        case .commit: "the transaction manager commits"
        case .abort: "the transaction manager aborts"
        case .receivePrepared(let r): "the transaction manager hears that r\(r + 1) has prepared"
        case .prepare(let r): "r\(r + 1) prepares"
        case .chooseToAbort(let r): "r\(r + 1) aborts by itself"
        case .receiveCommit(let r): "r\(r + 1) hears that the transaction is committed"
        case .receiveAbort(let r): "r\(r + 1) hears that the transaction is aborted"
        }
    }

    func describe(_ state: UInt64) -> String {
        parts(of: state).map { "\($0.name) \($0.text)" }.joined(separator: ", ")
    }

    func parts(of state: UInt64) -> [StatePart] {
        [StatePart(name: "transaction manager", text: "\(manager(state))")]
            + (0..<resourceManagers).map {
                StatePart(
                    name: "r\($0 + 1)",
                    text: "\(phase(state, $0))" + (isReceived(state, $0) ? ", which is known" : ""))
            }
    }

    func actor(of action: Action) -> String? {
        switch action {
        case .commit, .abort, .receivePrepared: "transaction manager"
        case .prepare(let r), .chooseToAbort(let r), .receiveCommit(let r), .receiveAbort(let r): "r\(r + 1)"
        }
    }
}
