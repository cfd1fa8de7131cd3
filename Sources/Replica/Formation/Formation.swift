import Automata
import Paxos

/// How a cluster began: who its first members were, and with which disks.
///
/// Two clusters that were started with the same flags, on disks of which some were empty at one start and
/// some at another, have different formations, and their members do not speak to each other.
public struct Formation: Hashable, Sendable {
    /// Drawn at random by the member that formed the cluster.
    public let nonce: UInt64
    /// Epoch 1: the first members are its voters, each with its disk. `.unknown` in a cluster that was formed
    /// before formations were written down.
    public let configuration: Configuration

    public init(nonce: UInt64, configuration: Configuration) {
        self.nonce = nonce
        self.configuration = configuration
    }

    public init(nonce: UInt64, founders: [Configuration.MemberDisk]) {
        self.nonce = nonce
        configuration =
            founders.isEmpty
            ? .unknown : Configuration(epoch: 1, voters: founders.map(\.process), disks: founders)
    }

    public var founders: [Configuration.MemberDisk] { configuration.disks }

    /// Whether that disk was there when the cluster was formed.
    public func isFounder(_ process: ProcessID, _ disk: DiskID) -> Bool {
        configuration.disk(of: process) == disk
    }
}

/// What processes of one cluster say to each other about its formation. It is asked for, never told unasked:
/// an answer is meant for the one disk that asked.
public enum FormationMessage: Hashable, Sendable {
    /// "I have this disk and know of no formation. Do you?"
    case question(disk: DiskID)
    /// "Neither do I; my disk is this one."
    case empty(disk: DiskID, asking: DiskID)
    case formed(Formation, asking: DiskID)
}
