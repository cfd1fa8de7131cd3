import Coordination

/// The watchers and watch streams of an event loop.
struct WatcherTable {
    private var watchers = Slab<Watcher>()
    private var streams = Slab<WatchStream>()

    subscript(watcher: WatcherID) -> Watcher? { watchers[watcher.rawValue] }

    mutating func add(_ watcher: Watcher) -> WatcherID { WatcherID(watchers.insert(watcher)) }

    /// Whether the watcher was there.
    mutating func remove(_ watcher: WatcherID) -> Bool { watchers.remove(watcher.rawValue) != nil }

    func stream(_ number: UInt64) -> WatchStream? { streams[number] }
    mutating func addStream(_ stream: WatchStream) -> UInt64 { streams.insert(stream) }
    mutating func removeStream(_ number: UInt64) { streams.remove(number) }
}

/// The events of one batch of deliveries, each list encoded once: the service gives the watchers of a key the
/// same list, and a thousand of them then cost one encoding.
struct EventEncodings {
    private var byAddress: [UnsafeRawPointer: EncodedEvents] = [:]

    /// The list must stay alive, unchanged, as long as this value.
    subscript(events: [KeyValueEvent]) -> EncodedEvents {
        mutating get {
            guard let address = events.withUnsafeBytes({ $0.baseAddress }) else {
                return EncodedEvents([])
            }
            // The same storage with another number of elements cannot be: both lists are alive.
            if let known = byAddress[address], known.ends.count == events.count { return known }
            let encoded = EncodedEvents(events)
            byAddress[address] = encoded
            return encoded
        }
    }
}
