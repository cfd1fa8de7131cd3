import Automata

/// Phase 1 of a proposer, for one ballot, one configuration and the whole suffix of slots from `from` on.
///
/// Promises arrive in chunks. Once the acceptors that have promised and told everything are a phase-1
/// quorum, the proposer may propose in slot s only the value that was accepted there at the highest ballot,
/// or any value where none was. (Lamport, Paxos Made Simple, 2001, rule P2c.)
public struct PromiseCollection: Hashable, Sendable {
    public let ballot: Ballot
    public let configuration: Configuration
    /// The first slot whose value is open; all before it are chosen.
    public private(set) var from: Slot
    /// Acceptors that have told everything, in ascending order.
    public private(set) var complete: [ProcessID] = []
    /// `reported[i]` is what was accepted at the highest ballot in slot from + i.
    private var reported: [Report] = []

    private struct Report: Hashable, Sendable {
        var ballot: Ballot
        var entry: Entry
    }

    public init(ballot: Ballot, configuration: Configuration, from: Slot) {
        self.ballot = ballot
        self.configuration = configuration
        self.from = from
    }

    public var isQuorum: Bool { configuration.isPhase1Quorum(complete) }

    /// The last slot in which some acceptor has accepted something, or the one before `from`.
    public var last: Slot { Slot(from.rawValue - 1).advanced(by: reported.count) }

    /// Takes a stretch of what an acceptor has accepted. Slots before `from` are skipped.
    public mutating func add(_ chunk: AcceptedChunk) {
        var run = 0
        for (offset, entry) in chunk.entries.enumerated() {
            let slot = chunk.first.advanced(by: offset)
            while run + 1 < chunk.runs.count, chunk.runs[run + 1].first <= slot { run += 1 }
            guard slot >= from else { continue }
            let ballot = chunk.runs[run].ballot
            let index = Int(slot.rawValue - from.rawValue)
            while reported.count <= index { reported.append(Report(ballot: .none, entry: .noop)) }
            if ballot > reported[index].ballot { reported[index] = Report(ballot: ballot, entry: entry) }
        }
    }

    /// Says that all that this acceptor has accepted from `from` on was added.
    public mutating func finish(_ acceptor: ProcessID) {
        guard !complete.contains(acceptor) else { return }
        complete.append(acceptor)
        complete.sort()
    }

    /// Says that every slot before `slot` is chosen.
    public mutating func raise(to slot: Slot) {
        guard slot > from else { return }
        reported.removeFirst(min(reported.count, Int(slot.rawValue - from.rawValue)))
        from = slot
    }

    /// What must be proposed in the slots from `from` on; a slot in which nothing was accepted gets a noop.
    public var values: [Entry] { reported.map(\.entry) }
}
