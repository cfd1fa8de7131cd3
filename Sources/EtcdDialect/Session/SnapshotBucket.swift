import Coordination

/// One of the buckets in which etcd keeps its store (its `mvcc`, `lease` and `membership` packages).
struct SnapshotBucket {
    private enum Content {
        case entries([BoltPage.Element])
        /// Every event, by its revision.
        case history(KeyValueReader)
    }

    let name: String
    private let content: Content

    func walk() throws -> any SnapshotWalk {
        switch content {
        case .entries(let entries): EntriesWalk(entries)
        case .history(let reader): EventsWalk(try reader.history())
        }
    }

    /// In ascending order of name. Users and members are not in it: whoever restores a snapshot names the members
    /// of the new cluster.
    static func all(of view: any OrderedView) throws -> [SnapshotBucket] {
        let reader = KeyValueReader(view)
        var writer = ProtobufWriter()
        func message(_ write: (inout ProtobufWriter) -> Void) -> [UInt8] {
            writer.removeAll()
            write(&writer)
            return writer.bytes
        }
        let alarms = try reader.ledger.alarms().map { alarm in
            BoltPage.Element(
                key: message {
                    $0.uint64(alarm.member, field: 1)
                    $0.uint64(UInt64(alarm.kind.rawValue), field: 2)
                }, value: [])
        }
        let leases = try reader.ledger.leases().map { lease in
            BoltPage.Element(
                key: bigEndian(lease.id.rawValue),
                value: message {
                    $0.int64(lease.id.rawValue, field: 1)
                    $0.int64(lease.seconds, field: 2)
                })
        }
        return [
            SnapshotBucket(name: "alarm", content: .entries(sorted(alarms))),
            SnapshotBucket(name: "auth", content: .entries([])),
            SnapshotBucket(name: "authRoles", content: .entries([])),
            SnapshotBucket(name: "authUsers", content: .entries([])),
            SnapshotBucket(
                name: "cluster",
                content: .entries([element("clusterVersion", Array(EtcdServer.clusterVersion.utf8))])),
            SnapshotBucket(name: "key", content: .history(reader)),
            SnapshotBucket(name: "lease", content: .entries(sorted(leases))),
            SnapshotBucket(name: "members", content: .entries([])),
            SnapshotBucket(name: "members_removed", content: .entries([])),
            SnapshotBucket(name: "meta", content: .entries(try meta(reader, view))),
        ]
    }

    /// How far the log is applied and what is compacted.
    private static func meta(_ reader: KeyValueReader, _ view: any OrderedView) throws -> [BoltPage.Element] {
        var entries = [
            element("consistent_index", bigEndian(Int64(bitPattern: try AppliedState.slot(in: view))))
        ]
        let compacted = try reader.compactRevision()
        if compacted > 0 {
            let revision = EventsWalk.key(revision: compacted, sub: 0)
            if try reader.isCompactionFinished() { entries.append(element("finishedCompactRev", revision)) }
            entries.append(element("scheduledCompactRev", revision))
        }
        return sorted(entries)
    }

    private static func element(_ key: String, _ value: [UInt8]) -> BoltPage.Element {
        BoltPage.Element(key: Array(key.utf8), value: value)
    }

    private static func sorted(_ entries: [BoltPage.Element]) -> [BoltPage.Element] {
        entries.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    static func bigEndian(_ value: Int64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
}

/// The entries of a bucket in ascending order of key.
protocol SnapshotWalk: AnyObject {
    /// Nil at the end.
    func next() throws -> BoltPage.Element?
}

private final class EntriesWalk: SnapshotWalk {
    private var rest: ArraySlice<BoltPage.Element>

    init(_ entries: [BoltPage.Element]) { rest = entries[...] }

    func next() -> BoltPage.Element? { rest.popFirst() }
}

private final class EventsWalk: SnapshotWalk {
    private let history: HistoryWalk
    private var writer = ProtobufWriter()

    init(_ history: HistoryWalk) { self.history = history }

    func next() throws -> BoltPage.Element? {
        guard let entry = try history.next() else { return nil }
        var key = Self.key(revision: entry.revision, sub: entry.sub)
        let keyValue = entry.event.keyValue
        writer.removeAll()
        writer.bytes(keyValue.key, field: 1)
        switch entry.event.kind {
        case .put:
            writer.int64(keyValue.createRevision, field: 2)
            writer.int64(keyValue.modRevision, field: 3)
            writer.int64(keyValue.version, field: 4)
            writer.bytes(keyValue.value, field: 5)
            writer.int64(keyValue.lease, field: 6)
        case .delete: key.append(UInt8(ascii: "t"))
        }
        return BoltPage.Element(key: key, value: writer.bytes)
    }

    /// Revision, underscore, place within the revision.
    static func key(revision: Int64, sub: UInt32) -> [UInt8] {
        SnapshotBucket.bigEndian(revision) + [UInt8(ascii: "_")] + SnapshotBucket.bigEndian(Int64(sub))
    }
}
