import Coordination

/// Streams what a view sees as a checkpoint, chunk by chunk, as fast as the reader takes them. It is used by
/// one thread at a time, and the view must stay open meanwhile.
public final class CheckpointWriter {
    private enum Stage {
        case begin
        case entries(any OrderedCursor)
        case end, done
    }

    private let view: any OrderedReader
    private let chunkBytes: Int
    private var stage = Stage.begin
    private var tables = StoreTable.allCases[...]
    private var check: UInt32 = 0
    private var entries: UInt64 = 0
    private var entryBytes: UInt64 = 0

    /// Chunks become about `chunkBytes` long; a longer entry gets one of its own.
    public init(_ view: any OrderedReader, chunkBytes: Int = 256 << 10) {
        self.view = view
        self.chunkBytes = chunkBytes
    }

    /// The next piece of the stream; nil after the last.
    public func nextChunk() throws -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: CheckpointChunk.headerBytes)
        switch stage {
        case .begin:
            chunk.appendLittle(CheckpointChunk.magic)
            chunk.appendLittle(CheckpointChunk.version)
            try openNextTable()
            check = CheckpointChunk.seal(&chunk, kind: .begin, previous: check)
        case .entries:
            chunk.reserveCapacity(chunkBytes + 4096)
            try fill(&chunk)
            check = CheckpointChunk.seal(&chunk, kind: .entries, previous: check)
        case .end:
            chunk.appendLittle(entries)
            chunk.appendLittle(entryBytes)
            check = CheckpointChunk.seal(&chunk, kind: .end, previous: check)
            stage = .done
        case .done: return nil
        }
        return chunk
    }

    private func fill(_ chunk: inout [UInt8]) throws {
        while case .entries(let cursor) = stage {
            let (key, value) = (cursor.key, cursor.value)
            let size = CheckpointChunk.entryHeaderBytes + key.count + value.count
            guard size <= CheckpointChunk.maximumPayloadBytes else {
                throw StoreError(.failed, "an entry of \(size) bytes is too large for a checkpoint")
            }
            guard chunk.count == CheckpointChunk.headerBytes || chunk.count + size <= chunkBytes else {
                return
            }
            chunk.append(tables.first!.rawValue)
            chunk.appendLittle(UInt32(key.count))
            chunk.appendLittle(UInt32(value.count))
            chunk.append(contentsOf: key)
            chunk.append(contentsOf: value)
            entries += 1
            entryBytes += UInt64(key.count + value.count)
            if try !cursor.next() {
                tables.removeFirst()
                try openNextTable()
            }
        }
    }

    private func openNextTable() throws {
        while let table = tables.first {
            let cursor = try view.cursor(in: table)
            if try cursor.seekToFirst() {
                stage = .entries(cursor)
                return
            }
            tables.removeFirst()
        }
        stage = .end
    }
}
