import Automata

/// The multi-version key-value space: the state machine that commands of space `.keyValue` run on.
///
/// INTERFACE SKETCH: the signatures other targets compile against; the bodies are being written.
public struct KeyValueSpace: Sendable {
    public struct Settings: Hashable, Sendable {
        public init() {}
    }

    /// Reads revision, compaction and alarms from the store.
    public init(settings: Settings, from reader: any OrderedReader) throws { fatalError() }

    public var revision: Int64 { fatalError() }
    public var compactRevision: Int64 { fatalError() }
    public var alarms: [Alarm] { fatalError() }

    /// Executes one command. Deterministic: the same commands in the same order give every member the same
    /// store, outcome and events. Throws only what the store throws; the transaction is then rolled back
    /// and this value must be the copy from before.
    public mutating func apply(
        _ command: KeyValueCommand, in transaction: any OrderedTransaction, events: inout [KeyValueEvent]
    ) throws -> KeyValueOutcome { fatalError() }

    /// Physically removes up to `limit` versions that compaction has made unreachable; false when none is
    /// left. Resumable at any point, and after a restart. Does not change what any read returns. The host
    /// calls it in transactions of its own between batches.
    public mutating func removeCompacted(limit: Int, in transaction: any OrderedTransaction) throws -> Bool {
        fatalError()
    }
}

extension KeyValueCommand {
    public static var currentVersion: UInt8 { 1 }
    public func encoded() -> [UInt8] { fatalError() }
    public init(decoding bytes: [UInt8], version: UInt8) throws { fatalError() }
}

/// Reads of a view; stateless.
public struct KeyValueReader {
    public init(_ reader: any OrderedReader) { fatalError() }

    public func revision() throws -> Int64 { fatalError() }
    public func compactRevision() throws -> Int64 { fatalError() }
    /// Throws `KeyValueRefusal` (.compacted, .futureRevision) or `StoreError`.
    public func range(_ query: RangeQuery) throws -> RangeResult { fatalError() }
    /// A transaction whose operations are all ranges.
    public func readOnly(_ transaction: KeyValueTransaction) throws -> KeyValueTransactionOutcome {
        fatalError()
    }
    /// Events with `from <= revision <= through` in order, whole revisions, until about `byteLimit` bytes are
    /// gathered (at least one revision); returns the last revision that was looked at completely.
    public func events(
        from: Int64, through: Int64, byteLimit: Int, matching: (_ key: UnsafeRawBufferPointer) -> Bool,
        into events: inout [KeyValueEvent]
    ) throws -> Int64 { fatalError() }
    /// The version of `key` that a mutation at `revision` replaced; nil when it was none or is compacted.
    public func previous(of key: [UInt8], before revision: Int64) throws -> KeyValue? { fatalError() }
    public func leases() throws -> [(id: LeaseID, seconds: Int64)] { fatalError() }
    public func keys(of lease: LeaseID) throws -> [[UInt8]] { fatalError() }
    /// The granted time of a lease in seconds; nil when there is no such lease.
    public func seconds(of lease: LeaseID) throws -> Int64? { fatalError() }
    /// Members as they have published themselves, by id. `isLearner` is not known here and false.
    public func members() throws -> [ServiceMember] { fatalError() }
    public func alarms() throws -> [Alarm] { fatalError() }
    /// The hash of all that a read could return at `revision` (0: the latest), the same on all members that
    /// have the same history and compaction; and the compact revision and hash revision.
    public func hash(at revision: Int64) throws -> (hash: UInt32, compactRevision: Int64, revision: Int64) {
        fatalError()
    }
}
