/// Reads what the families share in a view; has no state of its own.
public struct LedgerReader {
    private let reader: any OrderedReader

    public init(_ reader: any OrderedReader) { self.reader = reader }

    public func alarms() throws -> [Alarm] { try LedgerState(from: reader).alarms }

    /// All leases, by id.
    public func leases() throws -> [(id: LeaseID, seconds: Int64)] {
        var leases: [(LeaseID, Int64)] = []
        let cursor = try reader.cursor(in: .lease)
        var stands = try cursor.seekToFirst()
        while stands {
            guard cursor.key.count == 8, cursor.value.count == 8 else {
                throw StoreError(.damaged, "a lease is not stored as 8 and 8 bytes")
            }
            leases.append(
                (LeaseID(cursor.key.bigEndian(Int64.self, at: 0)), cursor.value.bigEndian(Int64.self, at: 0)))
            stands = try cursor.next()
        }
        return leases
    }

    /// The granted time of a lease in seconds; nil when there is no such lease.
    public func seconds(of lease: LeaseID) throws -> Int64? {
        try withUnsafeBytes(of: lease.rawValue.bigEndian) { try reader.value(of: $0, in: .lease) }
            .map { $0.bigEndian(Int64.self, at: 0) }
    }

    /// Members as they have published themselves, by id. `isLearner` is not known here and false.
    public func members() throws -> [ServiceMember] {
        var members: [ServiceMember] = []
        let prefix = MetaKey.member.bytes
        let cursor = try reader.cursor(in: .meta)
        var stands = try cursor.seek(atOrAfter: prefix)
        while stands, prefix.withUnsafeBytes({ cursor.key.starts(withBytes: $0) }) {
            members.append(try ServiceMember(tableValue: cursor.value))
            stands = try cursor.next()
        }
        return members
    }
}
