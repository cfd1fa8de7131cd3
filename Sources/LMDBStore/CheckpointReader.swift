import Coordination

/// Reads a checkpoint from pieces of any size, and hands over its entries when their chunk is whole and
/// right. Bytes that no `CheckpointWriter` wrote are refused with `StoreError.damaged`.
public struct CheckpointReader: Sendable {
    private var waiting: [UInt8] = []
    private var check: UInt32 = 0
    private var hasBegun = false
    /// Whether the whole stream has been read.
    public private(set) var isComplete = false
    private var entries: UInt64 = 0
    private var entryBytes: UInt64 = 0
    private var lastTable: UInt8 = 0
    private var lastKey: [UInt8] = []

    public init() {}

    /// Takes the next bytes of the stream; what is handed to `body` is valid only during the call. After an
    /// error the stream cannot go on.
    public mutating func take(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (StoreTable, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Void
    ) throws {
        if waiting.isEmpty {
            let used = try takeChunks(bytes, body)
            waiting.append(contentsOf: bytes[used...])
        } else {
            waiting.append(contentsOf: bytes)
            let whole = waiting
            waiting = []
            let used = try whole.withUnsafeBytes { try takeChunks($0, body) }
            waiting = used == 0 ? whole : Array(whole[used...])
        }
    }

    /// Throws unless the stream has come to its end.
    public func finish() throws {
        guard isComplete, waiting.isEmpty else { throw Self.damaged("it ends too early") }
    }

    private static func damaged(_ what: String) -> StoreError {
        StoreError(.damaged, "the checkpoint is damaged: \(what)")
    }

    /// Reads all whole chunks at the start of `bytes`, and returns how many bytes those are.
    private mutating func takeChunks(
        _ bytes: UnsafeRawBufferPointer,
        _ body: (StoreTable, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws -> Int {
        var used = 0
        while bytes.count - used >= CheckpointChunk.headerBytes {
            let length = Int(bytes.little(at: used, as: UInt32.self))
            guard length <= CheckpointChunk.maximumPayloadBytes, !isComplete else {
                throw Self.damaged(isComplete ? "bytes follow its end" : "a chunk is too long")
            }
            let end = used + CheckpointChunk.headerBytes + length
            guard end <= bytes.count else { break }
            try takeChunk(UnsafeRawBufferPointer(rebasing: bytes[used..<end]), body)
            used = end
        }
        return used
    }

    private mutating func takeChunk(
        _ chunk: UnsafeRawBufferPointer,
        _ body: (StoreTable, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard chunk.little(at: 8, as: UInt32.self) == check else { throw Self.damaged("a chunk is missing") }
        check = CheckpointChunk.check(chunk)
        guard chunk.little(at: 12, as: UInt32.self) == check else { throw Self.damaged("a check is wrong") }
        let payload = UnsafeRawBufferPointer(rebasing: chunk[CheckpointChunk.headerBytes...])
        switch (CheckpointChunk.Kind(rawValue: chunk[4]), hasBegun) {
        case (.begin, false):
            guard payload.count == 12, payload.little(at: 0, as: UInt64.self) == CheckpointChunk.magic else {
                throw Self.damaged("it does not begin as one")
            }
            let version = payload.little(at: 8, as: UInt32.self)
            guard version == CheckpointChunk.version else {
                throw StoreError(.failed, "the checkpoint has version \(version), which is not known here")
            }
            hasBegun = true
        case (.entries, true): try takeEntries(payload, body)
        case (.end, true):
            guard payload.count == 16, payload.little(at: 0, as: UInt64.self) == entries,
                payload.little(at: 8, as: UInt64.self) == entryBytes
            else { throw Self.damaged("entries are missing") }
            isComplete = true
        default: throw Self.damaged("a chunk is out of place")
        }
    }

    private mutating func takeEntries(
        _ payload: UnsafeRawBufferPointer,
        _ body: (StoreTable, UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var at = 0
        while at < payload.count {
            let start = at + CheckpointChunk.entryHeaderBytes
            guard start <= payload.count, let table = StoreTable(rawValue: payload[at]) else {
                throw Self.damaged("an entry is in no table")
            }
            let keyEnd = start + Int(payload.little(at: at + 1, as: UInt32.self))
            let end = keyEnd + Int(payload.little(at: at + 5, as: UInt32.self))
            guard end <= payload.count, keyEnd > start else { throw Self.damaged("an entry is cut short") }
            let key = UnsafeRawBufferPointer(rebasing: payload[start..<keyEnd])
            guard isNext(table, key) else { throw Self.damaged("its entries are not in order") }
            try body(table, key, UnsafeRawBufferPointer(rebasing: payload[keyEnd..<end]))
            entries += 1
            entryBytes += UInt64(end - start)
            at = end
        }
    }

    private mutating func isNext(_ table: StoreTable, _ key: UnsafeRawBufferPointer) -> Bool {
        let isFirst = table.rawValue > lastTable
        guard table.rawValue >= lastTable, isFirst || lastKey.lexicographicallyPrecedes(key) else {
            return false
        }
        lastTable = table.rawValue
        lastKey.removeAll(keepingCapacity: true)
        lastKey.append(contentsOf: key)
        return true
    }
}
