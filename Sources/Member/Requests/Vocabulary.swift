import Automata
import Coordination

/// What one member has said about the commands that it understands.
public struct MemberVersions: Hashable, Sendable {
    public var process: ProcessID
    public var commands: CommandVersions

    public init(_ process: ProcessID, _ commands: CommandVersions) {
        self.process = process
        self.commands = commands
    }
}

/// Which commands may be proposed: a member that does not understand an entry of the log stops, so while a cluster is
/// upgraded nobody proposes what some member does not understand yet.
///
/// A member is believed to be what it was when it was last heard. One that never was counts as one of a program that
/// says nothing of it.
struct Vocabulary: Hashable, Sendable {
    private var heard: [MemberVersions] = []

    mutating func learn(_ versions: [MemberVersions]) { heard = versions }

    func isUnderstood(version: UInt8, of space: SpaceID, by members: [ProcessID]) -> Bool {
        members.allSatisfy { member in
            let known = heard.first { $0.process == member }?.commands ?? .base
            return known.understands(version: version, of: space)
        }
    }
}
