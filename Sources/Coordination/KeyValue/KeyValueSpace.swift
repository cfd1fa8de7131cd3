extension SpaceID {
    public static let keyValue = SpaceID(rawValue: 1)
}

/// The multi-version key-value space, with the semantics of etcd's API version 3.
///
/// Everything lives in the tables (see `StoreTable`, and `Layout/`). A put costs one seek and one insertion in the
/// index, and an append to history.
public struct KeyValueSpace: Space {
    public static var id: SpaceID { .keyValue }

    public static var operations: [String] { ["puts_total", "deletes_total", "transactions_total"] }

    private var writer: VersionWriter

    public init(from reader: any OrderedReader) throws { writer = VersionWriter(try KeyCounts(from: reader)) }

    public mutating func settle(in turn: inout Turn) throws { try writer.counts.settle(in: &turn) }

    public mutating func apply(_ command: KeyValueCommand, in turn: inout Turn) throws -> KeyValueOutcome {
        do {
            switch command {
            case .put(let put): return try onPut(put, in: &turn)
            case .delete(let delete): return try onDelete(delete, in: &turn)
            case .transaction(let branches):
                let outcome = try branches.execute(by: &writer, in: &turn)
                return .transaction(outcome, revision: turn.revision)
            case .compact(let revision): return try onCompact(revision, in: &turn)
            }
        } catch let refusal as KeyValueRefusal {
            return .refused(refusal, revision: turn.revision)
        }
    }

    public mutating func ended(_ lease: LeaseID, in turn: inout Turn) throws {
        let keys = try KeyValueReader(turn.transaction).keys(of: lease)
        for key in keys { _ = try writer.delete(key, keepingPrevious: false, in: &turn) }
    }

    private mutating func onPut(_ put: PutOperation, in turn: inout Turn) throws -> KeyValueOutcome {
        if let refusal = put.refusal { throw refusal }
        if put.lease != 0, try LedgerReader(turn.transaction).seconds(of: LeaseID(put.lease)) == nil {
            throw KeyValueRefusal.leaseNotFound
        }
        let previous = try writer.put(put, requiringPrevious: true, in: &turn)
        return .put(previous: previous, revision: turn.revision)
    }

    private mutating func onDelete(_ delete: DeleteOperation, in turn: inout Turn) throws -> KeyValueOutcome {
        if let refusal = delete.refusal { throw refusal }
        let (count, previous) = try writer.delete(delete, in: &turn)
        return .deleted(count: count, previous: previous, revision: turn.revision)
    }
}
