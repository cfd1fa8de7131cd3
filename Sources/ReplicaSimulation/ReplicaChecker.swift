import Automata
import Paxos
import Replica

/// A rule that was broken, and how.
public struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Rule: String, Hashable, Sendable {
        /// Two processes applied different entries in one slot, or one applied a slot out of turn.
        case agreement
        /// A process accepts, proposes or takes for chosen what it must not by the definition of Paxos.
        case acceptance
        /// A message left before what it says was durable.
        case durability
        /// A state machine is not in the state that the chosen entries give.
        case state
        /// A proposal was chosen twice, or although it was refused.
        case atMostOnce
        /// A read missed something that was known before it began, or a write came before it.
        case linearizability
        /// A watch was told out of order, twice, in part or not at all, or of progress that it has not made.
        case watch
        /// What a process shows of itself contradicts itself.
        case invariant
        /// A process could not start from its own disk.
        case recovery
        /// After faults stopped something did not become well in time.
        case liveness
    }

    public let rule: Rule
    public let detail: String

    init(_ rule: Rule, _ detail: String) {
        self.rule = rule
        self.detail = detail
    }

    public var description: String { "\(rule.rawValue): \(detail)" }
}

/// Holds everything that processes apply against one log: the first to apply a slot says what was chosen in
/// it, and nobody may ever say otherwise.
struct ReplicaChecker {
    private(set) var chosen: [Entry] = []
    /// `hashes[i]` is the state of a state machine that has applied i slots.
    private var hashes = [StableHash()]
    private var applied: [(process: ProcessID, slot: Slot)] = []
    private var seen: [ProposalID: Slot] = [:]
    /// Proposals of which a client was told that they were not proposed.
    private var refused: Set<ProposalID> = []
    /// The newest configuration that was applied anywhere.
    private(set) var configuration: Configuration
    private(set) var lastChosen = Slot.zero

    init(bootstrap: Configuration) { configuration = bootstrap }

    func applied(at process: ProcessID) -> Slot {
        applied.first { $0.process == process }?.slot ?? .zero
    }

    func slot(of id: ProposalID) -> Slot? { seen[id] }

    private mutating func setApplied(_ slot: Slot, at process: ProcessID) {
        if let index = applied.firstIndex(where: { $0.process == process }) {
            applied[index].slot = slot
        } else {
            applied.append((process, slot))
        }
    }

    mutating func onApplied(
        _ process: ProcessID, first: Slot, _ entries: [Entry], _ hash: StableHash
    ) throws(Violation) {
        let before = applied(at: process)
        guard first == before.next else {
            throw Violation(.agreement, "\(process) applied \(first) after \(before)")
        }
        for (offset, entry) in entries.enumerated() {
            let slot = first.advanced(by: offset)
            if slot == lastChosen.next {
                try append(entry, at: slot)
            } else if chosen[Int(slot.rawValue) - 1] != entry {
                throw Violation(
                    .agreement,
                    "\(process) applied \(entry) in \(slot), where \(chosen[Int(slot.rawValue) - 1]) was applied"
                )
            }
        }
        setApplied(first.advanced(by: entries.count - 1), at: process)
        try check(hash, at: applied(at: process), of: process)
    }

    private mutating func append(_ entry: Entry, at slot: Slot) throws(Violation) {
        chosen.append(entry)
        lastChosen = slot
        var hash = hashes[hashes.count - 1]
        LogMachine.combine(entry, at: slot, into: &hash)
        hashes.append(hash)
        switch entry {
        case .noop: break
        case .payload(let id, _): try take(id, at: slot)
        case .configuration(let id, let next):
            try take(id, at: slot)
            guard next.epoch == configuration.epoch + 1 else {
                throw Violation(
                    .agreement, "configuration \(next.epoch) follows \(configuration.epoch) in \(slot)")
            }
            configuration = next
        }
    }

    private mutating func take(_ id: ProposalID, at slot: Slot) throws(Violation) {
        if let earlier = seen[id] {
            throw Violation(.atMostOnce, "\(id) was chosen in \(earlier) and again in \(slot)")
        }
        if refused.contains(id) {
            throw Violation(.atMostOnce, "\(id) was refused as not proposed, and is chosen in \(slot)")
        }
        seen[id] = slot
    }

    /// A client was told that its proposal was not proposed.
    mutating func onRefused(_ id: ProposalID, _ refusal: Refusal) throws(Violation) {
        switch refusal {
        case .outcomeUnknown, .timedOut: return
        case .noLeader, .busy, .notLeader, .unsuitable, .changeInProgress: break
        }
        if let slot = seen[id] {
            throw Violation(.atMostOnce, "\(id) is chosen in \(slot), and was refused: \(refusal)")
        }
        refused.insert(id)
    }

    /// A state machine was read from disk or replaced by a checkpoint.
    mutating func onReplaced(_ process: ProcessID, upTo slot: Slot, _ hash: StableHash) throws(Violation) {
        setApplied(slot, at: process)
        try check(hash, at: slot, of: process)
    }

    private func check(_ hash: StableHash, at slot: Slot, of process: ProcessID) throws(Violation) {
        guard slot <= lastChosen else {
            throw Violation(.state, "\(process) holds \(slot), and nothing was chosen past \(lastChosen)")
        }
        guard hashes[Int(slot.rawValue)] == hash else {
            throw Violation(.state, "\(process) at \(slot) is not in the state that the chosen entries give")
        }
    }
}
