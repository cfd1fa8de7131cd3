import Coordination

/// What a client says on a watch stream.
enum WatchRequest: Hashable {
    case create(WatchCreation)
    case cancel(Int64)
    case progress
    /// Nothing that is known; etcd passes over it.
    case unknown
}

struct WatchCreation: Hashable {
    var range = KeyRange(key: [])
    var startRevision: Int64 = 0
    var progressNotify = false
    var withoutPuts = false
    var withoutDeletes = false
    var previousKeyValue = false
    /// 0: the server picks.
    var watchID: Int64 = 0
    var fragment = false

    /// Whether no key can be in the range. etcd refuses such watches.
    var isEmpty: Bool {
        guard let end = range.end, !end.isEmpty else { return false }
        return !range.key.lexicographicallyPrecedes(end)
    }
}

extension WatchRequest {
    init(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        do { try self.init(parsing: message) } catch { throw .malformed(error) }
    }

    private init(parsing message: UnsafeRawBufferPointer) throws(MalformedMessage) {
        self = .unknown
        var reader = ProtobufReader(message)
        while let field = try reader.nextField() {
            switch field {
            case 1: self = .create(try WatchCreation(parsing: try reader.content()))
            case 2:
                var content = ProtobufReader(try reader.content())
                var watchID: Int64 = 0
                while let field = try content.nextField() {
                    if field == 1 { watchID = try content.int64() } else { try content.skip() }
                }
                self = .cancel(watchID)
            case 3:
                _ = try reader.content()
                self = .progress
            default: try reader.skip()
            }
        }
    }
}

extension WatchCreation {
    fileprivate init(parsing message: UnsafeRawBufferPointer) throws(MalformedMessage) {
        self.init()
        var key: [UInt8] = []
        var end: [UInt8] = []
        var reader = ProtobufReader(message)
        while let field = try reader.nextField() {
            switch field {
            case 1: key = try reader.bytes()
            case 2: end = try reader.bytes()
            case 3: startRevision = try reader.int64()
            case 4: progressNotify = try reader.bool()
            case 5 where reader.wireType == .bytes:
                // Packed.
                var filters = ProtobufReader(try reader.content())
                while let filter = try filters.packedVarint() { apply(filter: filter) }
            case 5: apply(filter: try reader.uint64())
            case 6: previousKeyValue = try reader.bool()
            case 7: watchID = try reader.int64()
            case 8: fragment = try reader.bool()
            default: try reader.skip()
            }
        }
        // No key means the least key that there can be.
        range = KeyRange(key: key.isEmpty ? [0] : key, wireEnd: end)
    }

    private mutating func apply(filter: UInt64) {
        switch filter {
        case 0: withoutPuts = true
        case 1: withoutDeletes = true
        default: break
        }
    }
}

/// Events as they stand in a watch response, written once for all watchers that get the same ones.
struct EncodedEvents {
    /// The fields of all events, one after the other.
    let bytes: [UInt8]
    /// Where each event ends in `bytes`.
    let ends: [Int]

    init(_ events: [KeyValueEvent]) {
        var writer = ProtobufWriter()
        var ends: [Int] = []
        ends.reserveCapacity(events.count)
        for event in events {
            writer.event(event)
            ends.append(writer.bytes.count)
        }
        bytes = writer.bytes
        self.ends = ends
    }

    /// The events in pieces that each make a response of less than `limit` bytes together with `overhead`
    /// bytes of other fields, as far as event boundaries allow.
    func fragments(limit: Int, overhead: Int) -> [Range<Int>] {
        var fragments: [Range<Int>] = []
        var start = 0
        var previousEnd = 0
        for end in ends {
            if previousEnd > start, end - start + overhead >= limit {
                fragments.append(start..<previousEnd)
                start = previousEnd
            }
            previousEnd = end
        }
        fragments.append(start..<bytes.count)
        return fragments
    }
}

extension ProtobufReader {
    /// The next element of a packed field, whose content is read as if it were a message.
    fileprivate mutating func packedVarint() throws(MalformedMessage) -> UInt64? {
        isAtEnd ? nil : try rawVarint()
    }
}

extension ProtobufWriter {
    fileprivate mutating func event(_ event: KeyValueEvent) {
        message(field: 11, expected: event.keyValue.key.count + event.keyValue.value.count + 32) { writer in
            if event.kind == .delete { writer.int64(1, field: 1) }
            writer.keyValue(event.keyValue, field: 2)
            if let previous = event.previous { writer.keyValue(previous, field: 3) }
        }
    }

    mutating func watchCreated(_ header: ResponseHeader, revision: Int64, watchID: Int64) {
        self.header(header, revision: revision)
        int64(watchID, field: 2)
        bool(true, field: 3)
    }

    /// The answer to a creation that was refused.
    mutating func watchRefused(_ header: ResponseHeader, revision: Int64, reason: String) {
        watchCreated(header, revision: revision, watchID: -1)
        bool(true, field: 4)
        string(reason, field: 6)
    }

    mutating func watchCanceled(_ header: ResponseHeader, revision: Int64, watchID: Int64) {
        self.header(header, revision: revision)
        int64(watchID, field: 2)
        bool(true, field: 4)
    }

    /// The history that the watch needs is gone. etcd gives no revision in this header.
    mutating func watchCompacted(_ header: ResponseHeader, watchID: Int64, compactRevision: Int64) {
        watchCanceled(header, revision: 0, watchID: watchID)
        int64(compactRevision, field: 5)
    }

    mutating func watchEvents(
        _ header: ResponseHeader, revision: Int64, watchID: Int64, events: ArraySlice<UInt8>, fragment: Bool
    ) {
        self.header(header, revision: revision)
        int64(watchID, field: 2)
        bool(fragment, field: 7)
        append(events)
    }

    /// Everything up to `revision` has been sent.
    mutating func watchProgress(_ header: ResponseHeader, revision: Int64, watchID: Int64) {
        self.header(header, revision: revision)
        int64(watchID, field: 2)
    }
}

/// Why a watch was refused.
enum WatchRefusal {
    static let duplicateID = "mvcc: duplicate watch ID provided on the WatchStream"
    static let emptyRange = "mvcc: watcher range is empty"
}
