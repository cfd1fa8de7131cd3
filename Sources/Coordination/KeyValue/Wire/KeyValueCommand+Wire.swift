// Version 1 of the encoding: a tag, then the fields in the order of their declaration. A field that is seldom
// set is announced by a bit of a flags byte.

extension KeyValueCommand {
    /// The version that `encoded` writes.
    public static var currentVersion: UInt8 { 1 }

    public func encoded() -> [UInt8] {
        var encoder = CommandEncoder(capacity: sizeHint)
        encode(into: &encoder)
        return encoder.bytes
    }

    /// As it goes into the log.
    public var command: Command {
        Command(space: .keyValue, version: Self.currentVersion, payload: encoded())
    }

    /// Throws `CommandDecodingError`.
    public init(decoding bytes: [UInt8], version: UInt8) throws {
        self = try bytes.withUnsafeBytes { try KeyValueCommand(decoding: $0, version: version) }
    }

    /// Throws `CommandDecodingError`.
    public init(decoding bytes: UnsafeRawBufferPointer, version: UInt8) throws {
        guard version == Self.currentVersion else { throw CommandDecodingError.unknownVersion(version) }
        var decoder = CommandDecoder(bytes)
        self = try KeyValueCommand(from: &decoder)
        try decoder.finish()
    }

    private var sizeHint: Int {
        switch self {
        case .put(let put): put.key.count + put.value.count + 32
        case .delete(let delete): delete.range.key.count + (delete.range.end?.count ?? 0) + 24
        default: 64
        }
    }

    private enum Tag: UInt8 {
        case put = 1
        case delete, transaction, compact, grantLease, revokeLease, expireLeases, setAlarm, publishMember
    }

    private func encode(into encoder: inout CommandEncoder) {
        func write(_ tag: Tag) { encoder.write(tag.rawValue) }
        switch self {
        case .put(let put):
            write(.put)
            put.encode(into: &encoder)
        case .delete(let delete):
            write(.delete)
            delete.encode(into: &encoder)
        case .transaction(let transaction):
            write(.transaction)
            transaction.encode(into: &encoder)
        case .compact(let revision):
            write(.compact)
            encoder.write(revision)
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
    }

    private init(from decoder: inout CommandDecoder) throws {
        guard let tag = Tag(rawValue: try decoder.byte()) else { throw CommandDecodingError.malformed }
        switch tag {
        case .put: self = .put(try PutOperation(from: &decoder))
        case .delete: self = .delete(try DeleteOperation(from: &decoder))
        case .transaction: self = .transaction(try KeyValueTransaction(from: &decoder, depth: 1))
        case .compact: self = .compact(revision: try decoder.signedNumber())
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
            try decoder.finish()
        } catch {
            throw StoreError(.damaged, "what is stored of a member is damaged")
        }
    }
}
