import Automata

/// Names one snapshot. Markers carry it, so that several snapshots can be under way at once.
public struct SnapshotID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The process that coined the name; others may start the same snapshot under it. `nil` for an epoch of
    /// Lai and Yang's algorithm, which belongs to nobody.
    public let initiator: ProcessID?
    /// Counted by the initiator; it never gives a number twice.
    public let sequence: UInt64

    @inlinable public init(initiator: ProcessID, sequence: UInt64) {
        self.initiator = initiator
        self.sequence = sequence
    }

    @inlinable init(epoch: UInt64) {
        initiator = nil
        sequence = epoch
    }

    /// The snapshot that separates the messages of earlier epochs from those of this one and later.
    @inlinable public static func epoch(_ epoch: SnapshotEpoch) -> SnapshotID {
        SnapshotID(epoch: epoch.number)
    }

    @inlinable public static func < (a: SnapshotID, b: SnapshotID) -> Bool {
        switch (a.initiator, b.initiator) {
        case (nil, nil): a.sequence < b.sequence
        case (nil, _): true
        case (_, nil): false
        case (let x?, let y?): (x, a.sequence) < (y, b.sequence)
        }
    }

    public var description: String {
        initiator.map { "snapshot \($0).\(sequence)" } ?? "snapshot of epoch \(sequence)"
    }
}

/// How many snapshots a process has recorded: the colour of what it sends.
public struct SnapshotEpoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let number: UInt64

    @inlinable public init(_ number: UInt64) { self.number = number }
    public static let zero = SnapshotEpoch(0)
    @inlinable public var next: SnapshotEpoch { SnapshotEpoch(number + 1) }

    @inlinable public static func < (a: SnapshotEpoch, b: SnapshotEpoch) -> Bool { a.number < b.number }

    public var description: String { "epoch \(number)" }
}

/// The snapshots that have ended, so that what still arrives about them starts nothing anew.
///
/// Numbers of one initiator that follow each other take one range, so that this stays small; past
/// `rangeLimit` ranges the oldest gap of an initiator counts as ended too.
struct EndedSnapshots: Hashable, Sendable {
    private struct Ended: Hashable, Sendable {
        let initiator: ProcessID?
        /// Ascending, with a gap between any two.
        var ranges: [ClosedRange<UInt64>]
    }

    static let rangeLimit = 64
    /// One entry for each initiator.
    private var entries: [Ended] = []

    func contains(_ id: SnapshotID) -> Bool {
        guard let entry = entries.first(where: { $0.initiator == id.initiator }) else { return false }
        return entry.ranges.contains { $0.contains(id.sequence) }
    }

    mutating func insert(_ id: SnapshotID) {
        guard !contains(id) else { return }
        guard let index = entries.firstIndex(where: { $0.initiator == id.initiator }) else {
            entries.append(Ended(initiator: id.initiator, ranges: [id.sequence...id.sequence]))
            entries.sort { SnapshotID.isOrdered($0.initiator, $1.initiator) }
            return
        }
        var ranges = entries[index].ranges
        var place = ranges.firstIndex { $0.lowerBound > id.sequence } ?? ranges.count
        ranges.insert(id.sequence...id.sequence, at: place)
        if place + 1 < ranges.count, ranges[place + 1].lowerBound == id.sequence + 1 {
            ranges[place] = id.sequence...ranges.remove(at: place + 1).upperBound
        }
        if place > 0, ranges[place - 1].upperBound + 1 == id.sequence {
            place -= 1
            ranges[place] = ranges[place].lowerBound...ranges.remove(at: place + 1).upperBound
        }
        if ranges.count > Self.rangeLimit {
            ranges[0] = ranges[0].lowerBound...ranges.remove(at: 1).upperBound
        }
        entries[index].ranges = ranges
    }
}

extension SnapshotID {
    /// Nobody comes before everybody.
    static func isOrdered(_ a: ProcessID?, _ b: ProcessID?) -> Bool {
        guard let b else { return false }
        return a.map { $0 < b } ?? true
    }
}
