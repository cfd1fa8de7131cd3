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
