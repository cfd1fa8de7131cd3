import Automata
import Paxos

/// What a replica had made durable, folded from its records in order.
///
/// The state machine is stored apart from the log and is at some slot of its own; what the log holds about
/// slots up to there is used only to help others.
public struct ReplicaDurableState: Hashable, Sendable {
    public private(set) var incarnation: UInt64 = 0
    public private(set) var isMember = false
    public private(set) var acceptor = Acceptor()
    /// What the log says is chosen; the state machine may be ahead of it.
    public private(set) var chosenUpTo: Slot = .zero
    /// Where the state machine is.
    public let storedUpTo: Slot
    /// In force after `storedUpTo`.
    public let configuration: Configuration

    /// The state of a new process of a new cluster.
    public init(bootstrap: Configuration) { self.init(storedUpTo: .zero, bootstrap) }

    /// The state of a new process that joins an existing cluster, to which a leader will talk once the
    /// process is a member.
    public static let joining = ReplicaDurableState(storedUpTo: .zero, .unknown)

    /// Continues from a state machine that had applied everything up to `applied`, in force `configuration`.
    public init(storedUpTo applied: Slot, _ configuration: Configuration) {
        storedUpTo = applied
        self.configuration = configuration
    }

    /// Takes the next record of the log. Throws `ReplicaRecoveryError` when the log does not continue what
    /// came before it or the state machine.
    public mutating func absorb(_ record: ReplicaRecord) throws(ReplicaRecoveryError) {
        switch record {
        case .started(let number, let member):
            incarnation = max(incarnation, number)
            isMember = isMember || member
        case .promised(let ballot):
            _ = acceptor.prepare(ballot)
        case .accepted(let acceptance):
            if acceptance.first > acceptor.accepted.last.next {
                // The segments before it are gone, which they may only once all their slots are stored.
                let before = Slot(acceptance.first.rawValue - 1)
                guard before <= storedUpTo else {
                    throw ReplicaRecoveryError(
                        "the log lacks the slots \(acceptor.accepted.last.next)...\(before), and the state "
                            + "machine holds only those up to \(storedUpTo)")
                }
                acceptor.trim(upTo: before)
            }
            guard
                case .accepted = acceptor.accept(
                    acceptance.ballot, first: acceptance.first, entries: acceptance.entries)
            else {
                throw ReplicaRecoveryError(
                    "slot \(acceptance.first) was accepted at \(acceptance.ballot) after "
                        + "\(acceptor.promised) was promised")
            }
            try hint(acceptance.chosenUpTo)
        case .chosen(let slot):
            try hint(slot)
        case .floor(let slot):
            guard slot <= storedUpTo else {
                throw ReplicaRecoveryError(
                    "the log was trimmed up to \(slot), and the state machine holds only the slots up to "
                        + "\(storedUpTo)")
            }
            acceptor.trim(upTo: slot)
            chosenUpTo = max(chosenUpTo, slot)
        }
    }

    private mutating func hint(_ slot: Slot) throws(ReplicaRecoveryError) {
        guard slot <= max(acceptor.accepted.last, storedUpTo) else {
            throw ReplicaRecoveryError(
                "\(slot) is said to be chosen, and the log ends with \(acceptor.accepted.last)")
        }
        chosenUpTo = max(chosenUpTo, slot)
    }

    /// The acceptor with nothing in its log up to the state machine's slot that is not known to be chosen:
    /// what was accepted there at an old ballot need not be what was chosen. Nor does the log end before that
    /// slot: when its segments went, the floor may have been known only to them.
    var recoveredAcceptor: Acceptor {
        var acceptor = acceptor
        if chosenUpTo < storedUpTo || acceptor.accepted.last < storedUpTo { acceptor.trim(upTo: storedUpTo) }
        return acceptor
    }
}

/// The log and the state machine of a process do not fit together: one of them was lost, replaced or damaged.
public struct ReplicaRecoveryError: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
