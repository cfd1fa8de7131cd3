import Automata

/// A directed channel between two processes; there is at most one in each direction.
public struct ChannelID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let from: ProcessID
    public let to: ProcessID

    @inlinable public init(from: ProcessID, to: ProcessID) {
        self.from = from
        self.to = to
    }

    @inlinable public static func < (a: ChannelID, b: ChannelID) -> Bool { (a.from, a.to) < (b.from, b.to) }

    public var description: String { "\(from)->\(to)" }
}

/// Who takes part and which channels there are.
public struct SnapshotTopology: Hashable, Sendable {
    /// In ascending order, without repetition.
    public private(set) var processes: [ProcessID]
    /// In ascending order, without repetition; both ends are processes of the topology.
    public private(set) var channels: [ChannelID]

    /// Repetitions are dropped. A channel whose end is no process of the topology is an error of the caller.
    public init(processes: [ProcessID], channels: [ChannelID]) {
        self.processes = []
        self.channels = []
        for process in processes.sorted() where self.processes.last != process {
            self.processes.append(process)
        }
        for channel in channels.sorted() where self.channels.last != channel {
            precondition(
                contains(channel.from) && contains(channel.to) && channel.from != channel.to,
                "\(channel) does not join two of \(self.processes)")
            self.channels.append(channel)
        }
    }

    /// A channel from every process to every other.
    public static func complete(_ processes: [ProcessID]) -> SnapshotTopology {
        let channels = processes.flatMap { from in
            processes.filter { $0 != from }.map { ChannelID(from: from, to: $0) }
        }
        return SnapshotTopology(processes: processes, channels: channels)
    }

    /// A channel from every process to the next, and from the last to the first.
    public static func ring(_ processes: [ProcessID]) -> SnapshotTopology {
        let next = processes.dropFirst() + processes.prefix(1)
        let channels = zip(processes, next).filter { $0 != $1 }.map { ChannelID(from: $0, to: $1) }
        return SnapshotTopology(processes: processes, channels: channels)
    }

    public func contains(_ process: ProcessID) -> Bool { processes.contains(process) }
    public func contains(_ channel: ChannelID) -> Bool { channels.contains(channel) }

    /// The processes with a channel to `process`, in ascending order.
    public func sources(of process: ProcessID) -> [ProcessID] {
        channels.filter { $0.to == process }.map(\.from)
    }

    /// The processes to which `process` has a channel, in ascending order.
    public func destinations(of process: ProcessID) -> [ProcessID] {
        channels.filter { $0.from == process }.map(\.to)
    }

    /// Takes the process out together with its channels.
    public mutating func remove(_ process: ProcessID) {
        processes.removeAll { $0 == process }
        channels.removeAll { $0.from == process || $0.to == process }
    }

    /// Whether every process reaches every other, so that one initiator suffices and what one process knows
    /// can reach whoever asked.
    public var isStronglyConnected: Bool {
        guard let first = processes.first else { return false }
        return reached(from: first) { ($0.from, $0.to) } && reached(from: first) { ($0.to, $0.from) }
    }

    private func reached(
        from start: ProcessID, _ direction: (ChannelID) -> (tail: ProcessID, head: ProcessID)
    ) -> Bool {
        var found = [start]
        var next = 0
        while next < found.count {
            for channel in channels {
                let (tail, head) = direction(channel)
                if tail == found[next], !found.contains(head) { found.append(head) }
            }
            next += 1
        }
        return found.count == processes.count
    }
}
