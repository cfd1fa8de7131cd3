import Coordination

/// The events of one batch, of which many watchers may want the same part: whatever two of them want alike is
/// made once.
struct SharedEvents {
    private let all: [KeyValueEvent]
    private let store: StoreBox
    private var allBytes: Int?
    private var single: [Int32: (events: [KeyValueEvent], bytes: Int)] = [:]
    private var previous: [Int32: KeyValueEvent] = [:]
    private var singleWithPrevious: [Int32: (events: [KeyValueEvent], bytes: Int)] = [:]

    init(_ events: [KeyValueEvent], store: StoreBox) {
        all = events
        self.store = store
    }

    mutating func events(at positions: [Int32], withPrevious: Bool) -> (events: [KeyValueEvent], bytes: Int) {
        if withPrevious {
            if positions.count == 1, let known = singleWithPrevious[positions[0]] { return known }
            fillPrevious(positions)
            let made = weighed(positions.map { previous[$0]! })
            if positions.count == 1 { singleWithPrevious[positions[0]] = made }
            return made
        }
        if positions.count == 1 {
            if let known = single[positions[0]] { return known }
            let made = weighed([all[Int(positions[0])]])
            single[positions[0]] = made
            return made
        }
        if positions.count == all.count {
            let bytes = allBytes ?? all.reduce(0) { $0 + $1.byteCount }
            allBytes = bytes
            return (all, bytes)
        }
        return weighed(positions.map { all[Int($0)] })
    }

    private func weighed(_ events: [KeyValueEvent]) -> (events: [KeyValueEvent], bytes: Int) {
        (events, events.reduce(0) { $0 + $1.byteCount })
    }

    /// What a put or delete replaced. It is missing when it was compacted meanwhile, as in etcd.
    private mutating func fillPrevious(_ positions: [Int32]) {
        let wanted = positions.filter { previous[$0] == nil }
        guard !wanted.isEmpty else { return }
        for position in wanted { previous[position] = all[Int(position)] }
        let found = try? store.read { reader in
            let history = KeyValueReader(reader)
            return try wanted.map { position -> KeyValue? in
                let event = all[Int(position)]
                if event.previous != nil || event.space != .keyValue { return event.previous }
                if event.kind == .put, event.keyValue.version == 1 { return nil }
                return try history.previous(of: event.keyValue.key, before: event.keyValue.modRevision)
            }
        }
        for (position, value) in zip(wanted, found ?? []) { previous[position]!.previous = value }
    }
}
