import Automata
import Coordination
import Paxos
import Replica

/// Proposals of this process that have no outcome yet, by number. Numbers are given in order and deadlines are
/// all equally far, so that the table is a queue with holes.
struct ProposalTable {
    enum Origin {
        case client(ClientToken)
        /// The server's own; whoever cares sees the outcome when it is applied.
        case own(OwnProposal)
    }

    struct Pending {
        var origin: Origin
        var payload: Payload
        /// Instead of the payload, which is empty then.
        var change: ConfigurationChange?
        var begun: Instant
        var deadline: Instant
        /// A leader was lost on the way: it may or may not be chosen.
        var isDoubtful = false
        /// Waits for a leader; nothing was proposed.
        var isHeld = false
    }

    private var items: [Pending?] = []
    /// Position in `items` of the oldest that may still be pending.
    private var start = 0
    /// The number of `items[start]`.
    private var first: UInt64
    private(set) var count = 0
    /// Of the payloads of all of them.
    private(set) var bytes = 0
    /// Numbers of those that wait for a leader, in order.
    private(set) var held: [UInt64] = []

    /// No number from `first` on may have been given in an earlier life of the process.
    init(first: UInt64) { self.first = first }

    mutating func add(_ pending: Pending) -> UInt64 {
        let number = first + UInt64(items.count - start)
        items.append(pending)
        if pending.isHeld { held.append(number) }
        count += 1
        bytes += pending.payload.count
        return number
    }

    subscript(number: UInt64) -> Pending? {
        guard number >= first, number < first + UInt64(items.count - start) else { return nil }
        return items[start + Int(number - first)]
    }

    /// Takes the proposal out; nil when it is none of this life's or has ended.
    mutating func remove(_ number: UInt64) -> Pending? {
        guard number >= first, number < first + UInt64(items.count - start) else { return nil }
        let position = start + Int(number - first)
        guard let pending = items[position] else { return nil }
        items[position] = nil
        count -= 1
        bytes -= pending.payload.count
        skipEnded()
        return pending
    }

    mutating func markDoubtful(_ number: UInt64) {
        guard self[number] != nil else { return }
        items[start + Int(number - first)]!.isDoubtful = true
    }

    /// It is certain that nothing was proposed.
    mutating func hold(_ number: UInt64) {
        guard let pending = self[number], !pending.isHeld else { return }
        items[start + Int(number - first)]!.isHeld = true
        items[start + Int(number - first)]!.isDoubtful = false
        held.append(number)
    }

    /// Everything that waited for a leader and still wants one.
    mutating func release() -> [(number: UInt64, pending: Pending)] {
        defer { held.removeAll() }
        return held.compactMap { number in
            guard let pending = self[number] else { return nil }
            items[start + Int(number - first)]!.isHeld = false
            return (number, pending)
        }
    }

    /// Takes out the oldest proposal if its time is over at `now`.
    mutating func removeExpired(at now: Instant) -> Pending? {
        skipEnded()
        guard start < items.count, let pending = items[start], pending.deadline < now else { return nil }
        return remove(first)
    }

    mutating func removeAll() -> [Pending] {
        let all = items[start...].compactMap { $0 }
        first += UInt64(items.count - start)
        items.removeAll()
        start = 0
        count = 0
        bytes = 0
        held.removeAll()
        return all
    }

    private mutating func skipEnded() {
        while start < items.count, items[start] == nil {
            start += 1
            first += 1
        }
        if start > 1024, start * 2 > items.count {
            items.removeFirst(start)
            start = 0
        }
    }
}

/// What the server itself has proposed.
enum OwnProposal: Hashable {
    case expireLeases
    case compact
    case raiseAlarm
    case publishMember
}
