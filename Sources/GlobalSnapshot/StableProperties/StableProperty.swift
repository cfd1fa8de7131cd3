import Automata

/// A property of global states that, once it holds, holds for ever. A snapshot in which it holds so proves
/// that it holds now, and one in which it does not that it did not when the snapshot began. (Chandy, Lamport
/// 1985, section 4.) The application must be such that the property is stable: nothing here can check that.
public protocol StableProperty: Sendable {
    func verdict(on snapshot: RecordedSnapshot) -> StablePropertyVerdict
}

public struct StablePropertyVerdict: Hashable, Sendable {
    public let holds: Bool
    /// Why, in a sentence.
    public let evidence: String
    /// The processes that the sentence speaks of, in ascending order.
    public let processes: [ProcessID]

    public init(holds: Bool, evidence: String, processes: [ProcessID] = []) {
        self.holds = holds
        self.evidence = evidence
        self.processes = processes
    }
}

/// A diffusing computation has ended: every process is passive and no message is under way. Stable where only
/// a message makes a passive process active.
public struct Termination: StableProperty {
    /// Reads from an application's recorded state whether it waits for a message to do anything.
    let isPassive: @Sendable (ProcessID, Payload) -> Bool

    public init(isPassive: @escaping @Sendable (ProcessID, Payload) -> Bool) { self.isPassive = isPassive }

    public func verdict(on snapshot: RecordedSnapshot) -> StablePropertyVerdict {
        let active = snapshot.states.filter { !isPassive($0.process, $0.state) }.map(\.process)
        if !active.isEmpty {
            return StablePropertyVerdict(holds: false, evidence: "some are active", processes: active)
        }
        if let message = snapshot.messages.first {
            return StablePropertyVerdict(
                holds: false, evidence: "a message is in \(message.channel)", processes: [message.channel.to])
        }
        return StablePropertyVerdict(holds: true, evidence: "all are passive and every channel is empty")
    }
}

/// Tokens that circulate and are never made anew have become fewer: in the extreme, the only token is lost.
/// Stable where tokens are only passed on or lost.
public struct LostTokens: StableProperty {
    public let expected: Int
    /// Reads how many tokens an application's recorded state holds.
    let held: @Sendable (ProcessID, Payload) -> Int
    /// Reads how many tokens a message carries.
    let carried: @Sendable (Payload) -> Int

    public init(
        expected: Int, held: @escaping @Sendable (ProcessID, Payload) -> Int,
        carried: @escaping @Sendable (Payload) -> Int
    ) {
        self.expected = expected
        self.held = held
        self.carried = carried
    }

    public func verdict(on snapshot: RecordedSnapshot) -> StablePropertyVerdict {
        let holders = snapshot.states.filter { held($0.process, $0.state) > 0 }.map(\.process)
        let found =
            snapshot.states.reduce(0) { $0 + held($1.process, $1.state) }
            + snapshot.messages.reduce(0) { $0 + carried($1.payload) }
        return StablePropertyVerdict(
            holds: found < expected, evidence: "\(found) of \(expected) tokens are there", processes: holders)
    }
}
