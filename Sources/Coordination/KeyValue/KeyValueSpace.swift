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

    /// Buffers that the writer uses anew for each command.
    private var scratch = VersionWriter.Scratch()

    public init(from reader: any OrderedReader) {}

    public mutating func apply(_ command: KeyValueCommand, in turn: Turn) throws -> KeyValueOutcome {
        do {
            switch command {
            case .put(let put): return try onPut(put, in: turn)
            case .delete(let delete): return try onDelete(delete, in: turn)
            case .transaction(let branches):
                return try writing(in: turn) { writer in
                    let outcome = try branches.execute(by: &writer)
                    return .transaction(outcome, revision: writer.currentRevision)
                }
            case .compact(let revision): return try onCompact(revision, in: turn)
            }
        } catch let refusal as KeyValueRefusal {
            return .refused(refusal, revision: turn.revision)
        }
    }

    public mutating func ended(_ lease: LeaseID, in turn: Turn) throws {
        let keys = try KeyValueReader(turn.transaction).keys(of: lease)
        guard !keys.isEmpty else { return }
        try writing(in: turn) { writer in
            for key in keys { _ = try writer.delete(key, keepingPrevious: false) }
        }
    }

    private mutating func onPut(_ put: PutOperation, in turn: Turn) throws -> KeyValueOutcome {
        if let refusal = put.refusal { throw refusal }
        if put.lease != 0, try LedgerReader(turn.transaction).seconds(of: LeaseID(put.lease)) == nil {
            throw KeyValueRefusal.leaseNotFound
        }
        return try writing(in: turn) { writer in
            let previous = try writer.put(put, requiringPrevious: true)
            return .put(previous: previous, revision: writer.currentRevision)
        }
    }

    private mutating func onDelete(_ delete: DeleteOperation, in turn: Turn) throws -> KeyValueOutcome {
        if let refusal = delete.refusal { throw refusal }
        return try writing(in: turn) { writer in
            let (count, previous) = try writer.delete(delete)
            return .deleted(count: count, previous: previous, revision: writer.currentRevision)
        }
    }

    private mutating func writing<R>(
        in turn: Turn, _ body: (inout VersionWriter) throws -> R
    ) throws -> R {
        var writer = VersionWriter(in: turn, scratch: scratch)
        scratch = VersionWriter.Scratch()
        defer { scratch = writer.takeScratch() }
        return try body(&writer)
    }
}
