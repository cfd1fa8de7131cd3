import Automata
import Paxos
import Replica

/// Linearizable reads that have not been answered. Those that arrive in one turn share one entry, so that
/// there are few.
struct ReadTable {
    enum State {
        /// Waits for a leader.
        case held
        case requested(at: Instant)
        /// May be answered once this slot is applied.
        case confirmed(Slot)
    }

    enum Waiter {
        case client(ClientToken)
        /// The keeper of leases, under a number of its own.
        case lease(UInt64)
    }

    struct Pending {
        var id: ReadID
        var state: State
        var waiters: [Waiter]
        var begun: Instant
        var deadline: Instant
    }

    private(set) var pending: [Pending] = []
    private var nextID: UInt64 = 1

    var isEmpty: Bool { pending.isEmpty }

    /// An id that was never used in this life of the process; an answer to an earlier one means nothing.
    private mutating func freshID() -> ReadID {
        defer { nextID += 1 }
        return ReadID(nextID)
    }

    mutating func add(_ waiters: [Waiter], state: State, begun: Instant, deadline: Instant) -> ReadID {
        let id = freshID()
        pending.append(Pending(id: id, state: state, waiters: waiters, begun: begun, deadline: deadline))
        return id
    }

    mutating func confirm(_ id: ReadID, at slot: Slot) {
        guard let index = pending.firstIndex(where: { $0.id == id }) else { return }
        pending[index].state = .confirmed(slot)
    }

    mutating func hold(_ id: ReadID) {
        guard let index = pending.firstIndex(where: { $0.id == id }) else { return }
        pending[index].state = .held
    }

    /// Gives everything that is held, or was requested before `limit`, a new id, and returns the new ids.
    mutating func renew(requestedBefore limit: Instant, now: Instant) -> [ReadID] {
        var renewed: [ReadID] = []
        for index in pending.indices {
            switch pending[index].state {
            case .confirmed: continue
            case .requested(let time) where !(time < limit): continue
            case .held, .requested:
                pending[index].id = freshID()
                pending[index].state = .requested(at: now)
                renewed.append(pending[index].id)
            }
        }
        return renewed
    }

    /// Takes out what may be answered when everything up to `applied` is.
    mutating func removeReady(applied: Slot) -> [Pending] {
        take { pending in
            if case .confirmed(let slot) = pending.state { return slot <= applied }
            return false
        }
    }

    mutating func remove(_ id: ReadID) -> Pending? { take { $0.id == id }.first }

    mutating func removeExpired(at now: Instant) -> [Pending] { take { $0.deadline < now } }

    mutating func removeAll() -> [Pending] { take { _ in true } }

    private mutating func take(_ isWanted: (Pending) -> Bool) -> [Pending] {
        guard pending.contains(where: isWanted) else { return [] }
        let taken = pending.filter(isWanted)
        pending.removeAll(where: isWanted)
        return taken
    }
}
