import Automata

/// Some processes wait for each other and will wait for ever.
///
/// The model is of AND and OR requests (Knapp, Deadlock Detection in Distributed Databases, ACM Computing
/// Surveys 19, 1987). A process that waits for all of a set is stuck while one of them is stuck: in a graph of
/// such requests a deadlock is a cycle. A process that waits for any of a set is stuck only while all of them
/// are: there a deadlock is a knot, a set of processes that reach each other and nobody else. Both may be
/// mixed: the graph is reduced as long as some process can go on, and those that remain are deadlocked, with
/// all that wait for them.
///
/// A message under way can grant what its receiver waits for, so that the recorded channels are looked at too:
/// without them a phantom deadlock would be reported. Stable where only a grant ends a wait and a process that
/// waits grants nothing.
public struct Deadlock: StableProperty {
    /// What a process waits for.
    public enum Wait: Hashable, Sendable {
        case nothing
        case all([ProcessID])
        case any([ProcessID])
    }

    let wait: @Sendable (ProcessID, Payload) -> Wait
    /// Whether a message grants its receiver what it wants of the sender.
    let grants: @Sendable (Payload) -> Bool

    public init(
        wait: @escaping @Sendable (ProcessID, Payload) -> Wait,
        grants: @escaping @Sendable (Payload) -> Bool
    ) {
        self.wait = wait
        self.grants = grants
    }

    public func verdict(on snapshot: RecordedSnapshot) -> StablePropertyVerdict {
        let waits = snapshot.states.map { (process: $0.process, wait: wait($0.process, $0.state)) }
        let granted = snapshot.messages.filter { grants($0.payload) }.map(\.channel)
        var free: [ProcessID] = []
        var count = -1
        while count < free.count {
            count = free.count
            for (process, wait) in waits where !free.contains(process) {
                func isServed(by other: ProcessID) -> Bool {
                    free.contains(other) || granted.contains(ChannelID(from: other, to: process))
                }
                let canGoOn =
                    switch wait {
                    case .nothing: true
                    case .all(let others): others.allSatisfy(isServed)
                    case .any(let others): others.contains(where: isServed)
                    }
                if canGoOn { free.append(process) }
            }
        }
        let stuck = waits.filter { !free.contains($0.process) }
        guard !stuck.isEmpty else {
            return StablePropertyVerdict(holds: false, evidence: "every process can go on")
        }
        let cycle = cycle(among: stuck, granted)
        let names = cycle.map(\.description).joined(separator: " waits for ")
        return StablePropertyVerdict(
            holds: true, evidence: cycle.isEmpty ? "some wait for nobody who will answer" : names,
            processes: stuck.map(\.process))
    }

    /// From one stuck process to the next that it waits for in vain, until one comes again. Each has such a
    /// next one, unless it waits for any of nobody.
    private func cycle(
        among stuck: [(process: ProcessID, wait: Wait)], _ granted: [ChannelID]
    ) -> [ProcessID] {
        var path: [ProcessID] = []
        var current = stuck.first?.process
        while let process = current {
            if let start = path.firstIndex(of: process) { return Array(path[start...]) + [process] }
            path.append(process)
            let others: [ProcessID] =
                switch stuck.first(where: { $0.process == process })?.wait {
                case .all(let others), .any(let others): others
                case .nothing, nil: []
                }
            current = others.first { other in
                stuck.contains { $0.process == other }
                    && !granted.contains(ChannelID(from: other, to: process))
            }
        }
        return []
    }
}
