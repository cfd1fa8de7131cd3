import Coordination

extension SpaceID {
    static let registry = SpaceID(rawValue: 200)
}

/// A family that is not etcd's: names that sessions hold. A session is a lease; with its end all its names are free.
///
///     table 0   name           to  session (8, big-endian)
///     table 1   session, name  to  nothing
struct RegistrySpace: Space {
    static var id: SpaceID { .registry }
    static var operations: [String] { ["registrations_total"] }

    private let holders = FamilyTable(0, of: .registry)
    private let held = FamilyTable(1, of: .registry)

    init(from reader: any OrderedReader) {}

    func apply(_ command: RegistryCommand, in turn: inout Turn) throws -> RegistryOutcome {
        switch command {
        case .register(let name, let session):
            if let holder = try holder(of: name, in: turn.transaction) {
                return .isHeld(by: holder, revision: turn.revision)
            }
            guard try LedgerReader(turn.transaction).seconds(of: session) != nil else {
                return .refused(.leaseNotFound)
            }
            try holders.put(Self.bytes(session), for: name, in: turn.transaction)
            try held.put([], for: Self.bytes(session) + name, in: turn.transaction)
            let revision = try turn.record(
                .put, KeyValue(key: name, version: 1, lease: session.rawValue), of: .registry)
            return .registered(revision: revision)
        case .release(let name):
            guard let holder = try holder(of: name, in: turn.transaction) else {
                return .released(revision: turn.revision)
            }
            try free(name, of: holder, in: &turn)
            return .released(revision: turn.revision)
        }
    }

    func ended(_ lease: LeaseID, in turn: inout Turn) throws {
        for name in try names(of: lease, in: turn.transaction) { try free(name, of: lease, in: &turn) }
    }

    func removeCompacted(
        at revision: Int64, limit: Int, in transaction: any OrderedTransaction, removed: inout Int
    ) -> Bool { false }

    func holder(of name: [UInt8], in reader: any OrderedReader) throws -> LeaseID? {
        try holders.value(of: name, in: reader).map { bytes in
            LeaseID(bytes.reduce(0) { $0 << 8 | Int64($1) })
        }
    }

    func names(of session: LeaseID, in reader: any OrderedReader) throws -> [[UInt8]] {
        var names: [[UInt8]] = []
        try held.visit(from: Self.bytes(session), in: reader) { key, _ in
            names.append([UInt8](key[8...]))
            return true
        }
        return names
    }

    private func free(_ name: [UInt8], of session: LeaseID, in turn: inout Turn) throws {
        try holders.remove(name, in: turn.transaction)
        try held.remove(Self.bytes(session) + name, in: turn.transaction)
        try turn.record(.delete, KeyValue(key: name), of: .registry)
    }

    private static func bytes(_ session: LeaseID) -> [UInt8] {
        withUnsafeBytes(of: session.rawValue.bigEndian) { [UInt8]($0) }
    }
}

enum RegistryCommand: SpaceCommand {
    case register([UInt8], session: LeaseID)
    case release([UInt8])

    static var space: SpaceID { .registry }
    static var currentVersion: UInt8 { 1 }

    var takesRoom: Bool {
        if case .register = self { return true }
        return false
    }

    init(decoding payload: UnsafeRawBufferPointer, version: UInt8) throws {
        guard payload.count >= 9 else { throw CommandDecodingError.truncated }
        let session = payload[1..<9].reduce(0) { $0 << 8 | Int64($1) }
        let name = [UInt8](payload[9...])
        self = payload[0] == 0 ? .release(name) : .register(name, session: LeaseID(session))
    }

    func encoded() -> [UInt8] {
        func encode(_ kind: UInt8, _ session: Int64, _ name: [UInt8]) -> [UInt8] {
            [kind] + withUnsafeBytes(of: session.bigEndian) { [UInt8]($0) } + name
        }
        return switch self {
        case .register(let name, let session): encode(1, session.rawValue, name)
        case .release(let name): encode(0, 0, name)
        }
    }
}

enum RegistryOutcome: SpaceOutcome, Hashable {
    case registered(revision: Int64)
    case released(revision: Int64)
    case isHeld(by: LeaseID, revision: Int64)
    case refused(LedgerRefusal)

    init(refused refusal: LedgerRefusal, revision: Int64) { self = .refused(refusal) }

    var operation: String? {
        if case .registered = self { return "registrations_total" }
        return nil
    }
}
