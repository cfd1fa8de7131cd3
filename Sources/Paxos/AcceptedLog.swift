import Automata

/// What an acceptor has accepted: for every slot above the trim floor one entry and the ballot at which it
/// was accepted last. (Keeping only the highest ballot per slot is the state reduction of van Renesse and
/// Altinbuken, Paxos Made Moderately Complex, 2015, section 4.1.)
///
/// Slots are accepted without holes, so the entries are an array; a leader accepts long runs of slots at
/// one ballot, so ballots are kept per run.
public struct AcceptedLog: Hashable, Sendable {
    /// Slots from `first` on, up to the next run, were accepted at `ballot`.
    public struct Run: Hashable, Sendable {
        public let first: Slot
        public let ballot: Ballot

        @inlinable public init(first: Slot, ballot: Ballot) {
            self.first = first
            self.ballot = ballot
        }
    }

    /// The slot before the first that is kept. Everything up to it is chosen and was trimmed.
    public private(set) var floor: Slot
    /// `entries[i]` is that of slot floor + 1 + i.
    private var entries: [Entry] = []
    /// Ascending; neighbours differ in their ballot; the first begins at floor + 1 when there are entries.
    public private(set) var runs: [Run] = []

    public init(floor: Slot = .zero) { self.floor = floor }

    /// The highest accepted slot; the floor when there is none.
    public var last: Slot { floor.advanced(by: entries.count) }
    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }

    /// The entry at a slot above the floor and not above `last`.
    public subscript(slot: Slot) -> Entry { entries[index(slot)] }

    /// The ballot at which the entry of a kept slot was accepted.
    public func ballot(at slot: Slot) -> Ballot {
        precondition(slot > floor && slot <= last, "\(slot) is not within \(floor)...\(last)")
        return runs.last { $0.first <= slot }!.ballot
    }

    /// The end of the longest stretch of slots after `slot` that were all accepted at `ballot`; `slot` itself
    /// when there is none.
    public func end(of ballot: Ballot, after slot: Slot) -> Slot {
        guard slot >= floor, slot < last else { return slot }
        guard let run = runs.lastIndex(where: { $0.first <= slot.next }), runs[run].ballot == ballot else {
            return slot
        }
        return run + 1 < runs.count ? Slot(runs[run + 1].first.rawValue - 1) : last
    }

    /// Entries of consecutive slots from `first` on, as many as fit into `bytesLimit`, at least one when there
    /// is one, and none past `end`.
    public func entries(from first: Slot, through end: Slot, bytesLimit: Int) -> [Entry] {
        let end = min(end, last)
        guard first > floor, first <= end else { return [] }
        var bytes = 0
        var stop = index(first)
        let limit = index(end) + 1
        while stop < limit {
            bytes += entries[stop].sizeHint
            if bytes > bytesLimit, stop > index(first) { break }
            stop += 1
        }
        return Array(entries[index(first)..<stop])
    }

    /// The sum of `sizeHint` over the slots behind `slot`, which are kept, through `end`.
    public func sizeHint(after slot: Slot, through end: Slot) -> Int {
        guard slot < end else { return 0 }
        var bytes = 0
        for index in index(slot.next)...index(end) { bytes += entries[index].sizeHint }
        return bytes
    }

    /// The same as a chunk of a promise.
    public func chunk(from first: Slot, bytesLimit: Int) -> AcceptedChunk {
        let some = entries(from: first, through: last, bytesLimit: bytesLimit)
        guard !some.isEmpty else { return AcceptedChunk(first: first, entries: [], runs: []) }
        let end = first.advanced(by: some.count - 1)
        var covering = runs.filter { $0.first > first && $0.first <= end }
        covering.insert(Run(first: first, ballot: ballot(at: first)), at: 0)
        return AcceptedChunk(first: first, entries: some, runs: covering)
    }

    /// Accepts `new` at consecutive slots from `first` on, which must be above the floor and leave no hole.
    mutating func write(_ new: [Entry], at first: Slot, ballot: Ballot) {
        precondition(first > floor && first <= last.next, "\(first) leaves a hole after \(last)")
        guard !new.isEmpty else { return }
        if first == last.next {
            entries.append(contentsOf: new)
            if runs.last?.ballot != ballot { runs.append(Run(first: first, ballot: ballot)) }
            return
        }
        let end = first.advanced(by: new.count - 1)
        let behind = end < last ? self.ballot(at: end.next) : nil
        let overlap = min(new.count, entries.count - index(first))
        entries.replaceSubrange(index(first)..<index(first) + overlap, with: new.prefix(overlap))
        entries.append(contentsOf: new.dropFirst(overlap))

        var place = runs.firstIndex { $0.first >= first } ?? runs.count
        let stop = runs.firstIndex { $0.first > end.next } ?? runs.count
        runs.removeSubrange(place..<stop)
        if place == 0 || runs[place - 1].ballot != ballot {
            runs.insert(Run(first: first, ballot: ballot), at: place)
            place += 1
        }
        if let behind, behind != ballot { runs.insert(Run(first: end.next, ballot: behind), at: place) }
    }

    /// Drops every slot up to `newFloor`, which may lie beyond the last.
    mutating func raiseFloor(to newFloor: Slot) {
        guard newFloor > floor else { return }
        if newFloor >= last {
            self = AcceptedLog(floor: newFloor)
            return
        }
        let first = Run(first: newFloor.next, ballot: ballot(at: newFloor.next))
        runs.removeAll { $0.first <= newFloor.next }
        runs.insert(first, at: 0)
        entries.removeFirst(Int(newFloor.rawValue - floor.rawValue))
        floor = newFloor
    }

    private func index(_ slot: Slot) -> Int { Int(slot.rawValue - floor.rawValue) - 1 }
}

/// A stretch of what an acceptor has accepted, as a promise carries it.
public struct AcceptedChunk: Hashable, Sendable {
    public let first: Slot
    public let entries: [Entry]
    /// Ascending; the first begins at `first` unless the chunk is empty.
    public let runs: [AcceptedLog.Run]

    public init(first: Slot, entries: [Entry], runs: [AcceptedLog.Run]) {
        self.first = first
        self.entries = entries
        self.runs = runs
    }

    /// The slot after the last of the chunk; `first` when it is empty.
    public var next: Slot { first.advanced(by: entries.count) }
}
