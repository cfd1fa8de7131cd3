// Version 1 of the encoding: a tag, then the fields in the order of their declaration. A field that is seldom
// set is announced by a bit of a flags byte.

extension KeyValueCommand {
    public static var space: SpaceID { .keyValue }
    public static var currentVersion: UInt8 { 1 }

    public func encoded() -> [UInt8] {
        var encoder = CommandEncoder(capacity: sizeHint)
        encode(into: &encoder)
        return encoder.bytes
    }

    /// Throws `CommandDecodingError`.
    public init(decoding bytes: UnsafeRawBufferPointer, version: UInt8) throws {
        guard version == Self.currentVersion else { throw CommandDecodingError.unknownVersion(version) }
        var decoder = CommandDecoder(bytes)
        self = try KeyValueCommand(from: &decoder)
        try decoder.end()
    }

    private var sizeHint: Int {
        switch self {
        case .put(let put): put.key.count + put.value.count + 32
        case .delete(let delete): delete.range.key.count + (delete.range.end?.count ?? 0) + 24
        default: 64
        }
    }

    /// 5 to 9 are `LedgerCommand`'s.
    private enum Tag: UInt8 {
        case put = 1
        case delete, transaction, compact
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
        }
    }

    private init(from decoder: inout CommandDecoder) throws {
        guard let tag = Tag(rawValue: try decoder.byte()) else { throw CommandDecodingError.malformed }
        switch tag {
        case .put: self = .put(try PutOperation(from: &decoder))
        case .delete: self = .delete(try DeleteOperation(from: &decoder))
        case .transaction: self = .transaction(try KeyValueTransaction(from: &decoder, depth: 1))
        case .compact: self = .compact(revision: try decoder.signedNumber())
        }
    }
}
