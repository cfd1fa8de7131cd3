import Coordination

/// The watchers of a process, by handle and by the name that each has at its port, and the ports.
struct WatcherTable: Sendable {
    typealias Handle = WatcherIndex.Handle

    struct Port: Sendable {
        let number: UInt64
        var names = WatcherNames()
        /// Delivered and not consumed, of all its watchers.
        var outstandingBytes = 0
    }

    /// By handle, for those who change one where it is; nil where a handle is free.
    var watchers: [Watcher?] = []
    private var freeHandles: [Handle] = []
    private(set) var count = 0

    /// By place.
    var ports: [Port] = []
    private var freePorts: [Int] = []
    private var places = SortedChunks<UInt64, Int>()

    var portCount: Int { places.count }

    // MARK: ports

    func place(ofPort number: UInt64) -> Int? { places[number] }

    mutating func addPort(_ number: UInt64) -> Int {
        if let known = places[number] { return known }
        let place = freePorts.popLast() ?? ports.count
        if place == ports.count {
            ports.append(Port(number: number))
        } else {
            ports[place] = Port(number: number)
        }
        places[number] = place
        return place
    }

    /// A port that has no watcher any more.
    mutating func removePort(at place: Int) {
        places[ports[place].number] = nil
        ports[place] = Port(number: 0)
        freePorts.append(place)
    }

    // MARK: watchers

    func handle(of id: WatcherID, atPort place: Int) -> Handle? { ports[place].names[id] }

    mutating func add(_ watcher: Watcher) -> Handle {
        let handle = freeHandles.popLast() ?? Handle(watchers.count)
        if handle == watchers.count { watchers.append(watcher) } else { watchers[Int(handle)] = watcher }
        ports[watcher.port].names.add(watcher.id, handle)
        count += 1
        return handle
    }

    mutating func remove(_ handle: Handle) {
        guard let watcher = watchers[Int(handle)] else { return }
        watchers[Int(handle)] = nil
        freeHandles.append(handle)
        ports[watcher.port].names.remove(watcher.id)
        ports[watcher.port].outstandingBytes -= watcher.outstandingBytes
        count -= 1
    }

    /// Bytes of events have been delivered, or were consumed.
    mutating func addOutstanding(_ bytes: Int, to handle: Handle) {
        watchers[Int(handle)]!.outstandingBytes += bytes
        ports[watchers[Int(handle)]!.port].outstandingBytes += bytes
    }
}

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
