import Automata

/// Names the memory of an acceptor: drawn at random when its directory is made, and never again.
///
/// What Paxos calls an acceptor is a memory that keeps its promises, not a name on a command line. A process
/// that comes back under its old name with an empty disk is another acceptor, which never took part.
public struct DiskID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64

    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    public var description: String { String(rawValue, radix: 16) }
}

extension Configuration {
    /// The disk with which a member takes part.
    public struct MemberDisk: Hashable, Sendable {
        public let process: ProcessID
        public let disk: DiskID

        @inlinable public init(_ process: ProcessID, _ disk: DiskID) {
            self.process = process
            self.disk = disk
        }
    }

    /// The disk with which this voter takes part: nothing that another disk answers counts. `nil` for a
    /// learner, and where a configuration names no disks at all.
    @inlinable public func disk(of process: ProcessID) -> DiskID? {
        for member in disks where member.process == process { return member.disk }
        return nil
    }
}
