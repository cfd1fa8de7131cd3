// The ledger's own commands are older than the ledger: all commands were of the key-value space, and these were the
// tags 5 to 9 of its version 1. They still are, so that members of before and after understand each other.

extension LedgerCommand {
    public static var space: SpaceID { .keyValue }
    public static var currentVersion: UInt8 { 1 }

    private enum Tag: UInt8 {
        case grantLease = 5
        case revokeLease, expireLeases, setAlarm, publishMember
    }

    /// Whether a command in the log is one of these.
    static func isEncoded(in payload: UnsafeRawBufferPointer, version: UInt8, of space: SpaceID) -> Bool {
        space == Self.space && version == currentVersion && payload.first.flatMap(Tag.init) != nil
    }

    public init(decoding payload: UnsafeRawBufferPointer, version: UInt8) throws {
        guard version == Self.currentVersion else { throw CommandDecodingError.unknownVersion(version) }
        var decoder = CommandDecoder(payload)
        guard let tag = Tag(rawValue: try decoder.byte()) else { throw CommandDecodingError.malformed }
        switch tag {
        case .grantLease:
            self = .grantLease(LeaseID(try decoder.signedNumber()), seconds: try decoder.signedNumber())
        case .revokeLease: self = .revokeLease(LeaseID(try decoder.signedNumber()))
        case .expireLeases: self = .expireLeases(try decoder.elements { LeaseID(try $0.signedNumber()) })
        case .setAlarm:
            let member = try decoder.number()
            guard let kind = Alarm.Kind(rawValue: try decoder.byte()) else {
                throw CommandDecodingError.malformed
            }
            self = .setAlarm(Alarm(member: member, kind: kind), raised: try decoder.flags(below: 2) == 1)
        case .publishMember:
            self = .publishMember(
                id: try decoder.number(), name: try decoder.text(),
                peerURLs: try decoder.elements { try $0.text() },
                clientURLs: try decoder.elements { try $0.text() })
        }
        try decoder.end()
    }

    public func encoded() -> [UInt8] {
        var encoder = CommandEncoder(capacity: 64)
        func write(_ tag: Tag) { encoder.write(tag.rawValue) }
        switch self {
        case .grantLease(let lease, let seconds):
            write(.grantLease)
            encoder.write(lease.rawValue)
            encoder.write(seconds)
        case .revokeLease(let lease):
            write(.revokeLease)
            encoder.write(lease.rawValue)
        case .expireLeases(let leases):
            write(.expireLeases)
            encoder.write(leases) { $0.write($1.rawValue) }
        case .setAlarm(let alarm, let raised):
            write(.setAlarm)
            encoder.write(alarm.member)
            encoder.write(alarm.kind.rawValue)
            encoder.write(raised ? UInt8(1) : 0)
        case .publishMember(let id, let name, let peerURLs, let clientURLs):
            write(.publishMember)
            encoder.write(id)
            encoder.write(name)
            encoder.write(peerURLs) { $0.write($1) }
            encoder.write(clientURLs) { $0.write($1) }
        }
        return encoder.bytes
    }
}

extension ServiceMember {
    /// The value under `MetaKey.member`.
    var tableValue: [UInt8] {
        var encoder = CommandEncoder(capacity: 128)
        encoder.write(id)
        encoder.write(name)
        encoder.write(peerURLs) { $0.write($1) }
        encoder.write(clientURLs) { $0.write($1) }
        return encoder.bytes
    }

    init(tableValue: UnsafeRawBufferPointer) throws {
        var decoder = CommandDecoder(tableValue)
        do {
            self.init(
                id: try decoder.number(), name: try decoder.text(),
                peerURLs: try decoder.elements { try $0.text() },
                clientURLs: try decoder.elements { try $0.text() }, isLearner: false)
            try decoder.end()
        } catch {
            throw StoreError(.damaged, "what is stored of a member is damaged")
        }
    }
}
