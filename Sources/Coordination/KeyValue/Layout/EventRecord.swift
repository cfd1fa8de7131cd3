/// Values of the table `history`. A put carries the whole key-value pair except its revision, which is the
/// entry's key; a delete only the user key:
///
///     0 · create revision (8) · version (8) · lease (8) · key length (4) · key · value
///     1 · key
///
/// A record of another family has its space's id, which is above 1, before the same.
enum EventRecord {
    private static let headerBytes = 29

    /// Whose change it is, and the record without its family.
    static func split(_ record: UnsafeRawBufferPointer) -> (SpaceID, UnsafeRawBufferPointer) {
        guard !isOfKeyValueSpace(record) else { return (.keyValue, record) }
        return (SpaceID(rawValue: record[0]), UnsafeRawBufferPointer(rebasing: record[1...]))
    }

    static func isOfKeyValueSpace(_ record: UnsafeRawBufferPointer) -> Bool {
        guard let first = record.first else { return true }
        return first <= KeyValueEvent.Kind.delete.rawValue
    }

    static func kind(of record: UnsafeRawBufferPointer) throws -> KeyValueEvent.Kind {
        guard let first = record.first, let kind = KeyValueEvent.Kind(rawValue: first) else { throw damaged }
        return kind
    }

    static func key(of record: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer {
        switch try kind(of: record) {
        case .delete: return UnsafeRawBufferPointer(rebasing: record[1...])
        case .put:
            let keyEnd = try keyEnd(of: record)
            return UnsafeRawBufferPointer(rebasing: record[headerBytes..<keyEnd])
        }
    }

    static func keyValue(of record: UnsafeRawBufferPointer, revision: Int64) throws -> KeyValue {
        guard try kind(of: record) == .put else {
            return KeyValue(key: [UInt8](try key(of: record)), modRevision: revision)
        }
        let keyEnd = try keyEnd(of: record)
        return KeyValue(
            key: [UInt8](UnsafeRawBufferPointer(rebasing: record[headerBytes..<keyEnd])),
            value: [UInt8](UnsafeRawBufferPointer(rebasing: record[keyEnd...])),
            createRevision: record.bigEndian(Int64.self, at: 1), modRevision: revision,
            version: record.bigEndian(Int64.self, at: 9), lease: record.bigEndian(Int64.self, at: 17))
    }

    /// A put, without a copy.
    static func pair(of stored: RangePlan.Record) throws -> RangePlan.Pair {
        let record = stored.bytes
        guard try kind(of: record) == .put else { throw damaged }
        let keyEnd = try keyEnd(of: record)
        return RangePlan.Pair(
            key: UnsafeRawBufferPointer(rebasing: record[headerBytes..<keyEnd]),
            value: UnsafeRawBufferPointer(rebasing: record[keyEnd...]),
            createRevision: record.bigEndian(Int64.self, at: 1), modRevision: stored.revision,
            version: record.bigEndian(Int64.self, at: 9), lease: record.bigEndian(Int64.self, at: 17))
    }

    /// The value of a put, without a copy.
    static func value(of record: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer {
        guard try kind(of: record) == .put else { throw damaged }
        return UnsafeRawBufferPointer(rebasing: record[(try keyEnd(of: record))...])
    }

    static func append(_ keyValue: KeyValue, to bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + headerBytes + keyValue.key.count + keyValue.value.count)
        bytes.append(KeyValueEvent.Kind.put.rawValue)
        bytes.appendBigEndian(keyValue.createRevision)
        bytes.appendBigEndian(keyValue.version)
        bytes.appendBigEndian(keyValue.lease)
        bytes.appendBigEndian(UInt32(keyValue.key.count))
        bytes.append(contentsOf: keyValue.key)
        bytes.append(contentsOf: keyValue.value)
    }

    static func append(deletionOf key: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(KeyValueEvent.Kind.delete.rawValue)
        bytes.append(contentsOf: key)
    }

    private static func keyEnd(of record: UnsafeRawBufferPointer) throws -> Int {
        guard record.count >= headerBytes else { throw damaged }
        let end = headerBytes + Int(record.bigEndian(UInt32.self, at: headerBytes - 4))
        guard end <= record.count else { throw damaged }
        return end
    }

    private static var damaged: StoreError { StoreError(.damaged, "a history entry is not a whole event") }
}
