import Coordination

/// A snapshot of the store as a stream of bytes, produced piece by piece from one view.
///
/// The stream: `header` (8 bytes of magic, format version, then revision and compaction as they were); every
/// entry of every table as {table, length of the key, length of the value, key, value}; an end mark with the
/// number of entries; zeros up to a multiple of 512 bytes. Integers are little-endian, lengths of 4 bytes. What
/// follows it on the wire, the SHA-256 of all that, makes it a file that etcd's tools take for whole.
///
/// Used by one thread at a time.
final class SnapshotSource: @unchecked Sendable {
    private static let magic: [UInt8] = Array("synodkv\n".utf8)
    private static let formatVersion: UInt32 = 1
    private static let headerBytes = 64
    private static let entryOverhead = 9
    private static let endMark: UInt8 = 0xff

    private let view: any OrderedView
    private var tables = StoreTable.allCases[...]
    private var cursor: (any OrderedCursor)?
    private var entries: UInt64 = 0
    private var produced = 0
    private let hash = StreamDigest()
    private var isStarted = false
    private var isEnded = false
    /// Of the whole stream.
    let totalBytes: Int

    /// Looks at every entry once to know how long the stream will be.
    init(view: any OrderedView) throws {
        self.view = view
        var total = Self.headerBytes
        for table in StoreTable.allCases {
            let cursor = try view.cursor(in: table)
            var isThere = try cursor.seekToFirst()
            while isThere {
                total += Self.entryOverhead + cursor.key.count + cursor.value.count
                isThere = try cursor.next()
            }
        }
        total += 9
        totalBytes = (total + 511) / 512 * 512
    }

    /// The next bytes of the stream, at least `count` but for the last ones; empty at the end.
    func next(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        guard !isEnded else { return bytes }
        bytes.reserveCapacity(count + 4096)
        if !isStarted {
            isStarted = true
            try appendHeader(to: &bytes)
        }
        while bytes.count < count, try appendEntry(to: &bytes) {}
        if tables.isEmpty {
            isEnded = true
            bytes.append(Self.endMark)
            append(entries, to: &bytes)
            bytes.append(contentsOf: repeatElement(0, count: totalBytes - produced - bytes.count))
        }
        produced += bytes.count
        hash.update(bytes)
        return bytes
    }

    /// The SHA-256 of the whole stream, once it has been produced.
    func digest() -> [UInt8] { hash.finalize() }

    func close() { view.close() }

    private func appendHeader(to bytes: inout [UInt8]) throws {
        let reader = KeyValueReader(view)
        bytes += Self.magic
        append(Self.formatVersion, to: &bytes)
        append(UInt32(0), to: &bytes)
        append(try reader.revision(), to: &bytes)
        append(try reader.compactRevision(), to: &bytes)
        bytes.append(contentsOf: repeatElement(0, count: Self.headerBytes - bytes.count))
    }

    /// False when there is no further entry.
    private func appendEntry(to bytes: inout [UInt8]) throws -> Bool {
        while let table = tables.first {
            let isThere: Bool
            if let cursor {
                isThere = try cursor.next()
            } else {
                cursor = try view.cursor(in: table)
                isThere = try cursor!.seekToFirst()
            }
            guard isThere, let cursor else {
                cursor = nil
                tables.removeFirst()
                continue
            }
            bytes.append(table.rawValue)
            append(UInt32(cursor.key.count), to: &bytes)
            append(UInt32(cursor.value.count), to: &bytes)
            bytes.append(contentsOf: cursor.key)
            bytes.append(contentsOf: cursor.value)
            entries += 1
            return true
        }
        return false
    }

    private func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
