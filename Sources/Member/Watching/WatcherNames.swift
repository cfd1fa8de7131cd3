import Coordination

/// Handles of the watchers of one port by their ids, which mostly ascend: a sorted array, in which what is removed
/// leaves a hole until half of it is holes.
struct WatcherNames: Sendable {
    private var entries: [(id: UInt64, handle: WatcherIndex.Handle?)] = []
    private var holes = 0

    subscript(id: WatcherID) -> WatcherIndex.Handle? {
        let place = place(of: id.rawValue)
        guard place < entries.count, entries[place].id == id.rawValue else { return nil }
        return entries[place].handle
    }

    /// In the order of ids.
    var handles: [WatcherIndex.Handle] { entries.compactMap(\.handle) }

    /// An id that is not there.
    mutating func add(_ id: WatcherID, _ handle: WatcherIndex.Handle) {
        let place = place(of: id.rawValue)
        if place < entries.count, entries[place].id == id.rawValue {
            entries[place].handle = handle
            holes -= 1
        } else {
            entries.insert((id.rawValue, handle), at: place)
        }
    }

    mutating func remove(_ id: WatcherID) {
        let place = place(of: id.rawValue)
        guard place < entries.count, entries[place].id == id.rawValue, entries[place].handle != nil else {
            return
        }
        entries[place].handle = nil
        holes += 1
        guard holes > 16, holes > entries.count / 2 else { return }
        entries.removeAll { $0.handle == nil }
        holes = 0
    }

    /// That of the first id that is not below.
    private func place(of id: UInt64) -> Int {
        guard let last = entries.last, last.id >= id else { return entries.count }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
