import Automata

/// The reads that wait at a leader for a round of heartbeats.
struct WaitingReads: Hashable, Sendable {
    enum Reader: Hashable, Sendable {
        case here(ReadID)
        case there(ProcessID, ReplicaMessage.ReadRequest)
    }

    private struct Read: Hashable, Sendable {
        let reader: Reader
        /// The first round that was begun after the read came.
        let round: UInt64
    }

    /// In the order in which they came, and so of their rounds.
    private var reads: [Read] = []

    var count: Int { reads.count }
    var isEmpty: Bool { reads.isEmpty }

    subscript(index: Int) -> Reader { reads[index].reader }

    mutating func append(_ reader: Reader, until round: UInt64) {
        reads.append(Read(reader: reader, round: round))
    }

    /// How many of the first need no round after this one.
    func count(confirmedBy round: UInt64) -> Int { reads.firstIndex { $0.round > round } ?? reads.count }

    /// Whether some need a round after this one.
    func needsMore(than round: UInt64) -> Bool { reads.contains { $0.round > round } }

    mutating func removeFirst(_ count: Int) { reads.removeFirst(count) }

    mutating func takeAll() -> [Reader] {
        defer { reads = [] }
        return reads.map(\.reader)
    }
}
