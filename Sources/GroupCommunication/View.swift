import Automata
import Paxos

/// Who belongs to the group, as all its members agree.
public struct View: Hashable, Sendable, CustomStringConvertible {
    /// 1 for the founders; each view is followed by exactly one.
    public let number: UInt64
    /// In the order in which they joined, those that joined together in ascending order. The first leads view changes
    /// and is the sequencer, so that one who joins takes over from nobody.
    public let members: [ProcessID]

    public init(number: UInt64, members: [ProcessID]) {
        self.number = number
        self.members = members
    }

    public init(founders: [ProcessID]) { self.init(number: 1, members: founders.sorted()) }

    public func contains(_ process: ProcessID) -> Bool { members.contains(process) }

    /// Those who decide on the next view: more than half of the members, or half with the first among them. Any two such
    /// sets meet, so that a group that is cut in two goes on on one side at most.
    var configuration: Configuration {
        let weights = members.map { QuorumSystem.Weight($0, $0 == members[0] ? 3 : 2) }
        let quorum = UInt64(members.count) + 1
        let quorums = QuorumSystem.weighted(weights, phase1: quorum, phase2: quorum)
        do {
            return try Configuration(voters: members, quorums: quorums)
        } catch {
            preconditionFailure("\(members): \(error)")
        }
    }

    public var description: String {
        "view \(number) {\(members.map(\.description).joined(separator: " "))}"
    }
}
