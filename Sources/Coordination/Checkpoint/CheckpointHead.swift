/// What a checkpoint says of itself before its rows.
///
///     magic (8 bytes), format, slot, revision, configuration
///     tables   how many, then of each its number in the rows and its name
///     spaces   how many, then of each its id, and the versions of its commands and of its tables
///
/// Numbers are base-128 varints, byte strings stand after their length. A reader refuses what it does not know: another
/// format (which covers the ledger's own tables as well), a table, a space, or a version of a space above its own.
///
/// Members that speak version 2 of the peer protocol know a *bare* head, of the slot (8 bytes, little-endian) and the
/// configuration (after 4 bytes with its length) alone. What follows the head is the same.
public struct CheckpointHead: Hashable, Sendable {
    public struct Table: Hashable, Sendable {
        public var number: UInt8
        public var name: String

        public init(number: UInt8, name: String) {
            self.number = number
            self.name = name
        }
    }

    /// Which of a family's commands may have been applied, and how its tables are laid out.
    public struct SpaceVersions: Hashable, Sendable {
        public var space: SpaceID
        public var commands: UInt8
        public var tables: UInt8

        public init(space: SpaceID, commands: UInt8, tables: UInt8) {
            self.space = space
            self.commands = commands
            self.tables = tables
        }
    }

    public static let currentFormat: UInt64 = 1
    static let magic = Array("SYNODCKP".utf8)

    /// The last slot whose command is in the rows.
    public var slot: UInt64
    /// In force after it, as the host encodes it.
    public var configuration: [UInt8]
    /// Of the last change; nil in a bare head.
    public var revision: Int64?
    public var tables: [Table]
    public var spaces: [SpaceVersions]

    /// Of what `reader` sees. A table or a family that holds nothing is not named, so that a program without it takes
    /// the checkpoint as well.
    ///
    /// - Parameter receiver: the commands that a member understands for which it is meant. No later ones have been
    ///   applied, as nobody proposes what some member does not understand.
    public init(
        of reader: any OrderedReader, families: [any Space.Type] = Ledger.families,
        receiver: CommandVersions? = nil
    ) throws {
        let applied = try AppliedState(from: reader)
        slot = applied.slot
        configuration = applied.configuration
        revision = try LedgerReader(reader).revision()
        tables = try Self.knownTables(holdingIn: reader)
        spaces = try families.filter { family in
            try family.id == .keyValue || FamilyTable.holdsAny(of: family.id, in: reader)
        }.map { family in
            var versions = family.versions
            if let known = receiver?.latest(of: family.id) {
                versions.commands = min(versions.commands, known)
            }
            return versions
        }
    }

    private static func knownTables(holdingIn reader: any OrderedReader) throws -> [Table] {
        try StoreTable.allCases.filter { try reader.cursor(in: $0).seekToFirst() }.map { $0.listed }
    }

    /// `isBare`: for a member that speaks version 2 of the peer protocol.
    public func encoded(isBare: Bool = false) -> [UInt8] {
        guard !isBare else {
            var bytes: [UInt8] = []
            bytes.appendLittleEndian(slot)
            bytes.appendLittleEndian(UInt32(configuration.count))
            return bytes + configuration
        }
        var encoder = CommandEncoder(capacity: 128 + configuration.count)
        encoder.write(Self.currentFormat)
        encoder.write(slot)
        encoder.write(revision ?? 0)
        encoder.write(configuration)
        encoder.write(tables) { encoder, table in
            encoder.write(table.number)
            encoder.write(table.name)
        }
        encoder.write(spaces) { encoder, versions in
            encoder.write(versions.space.rawValue)
            encoder.write(versions.commands)
            encoder.write(versions.tables)
        }
        return Self.magic + encoder.bytes
    }

    /// Takes either kind of head. Throws `CheckpointError`.
    public init(decoding bytes: UnsafeRawBufferPointer) throws {
        guard bytes.starts(with: Self.magic) else {
            guard bytes.count >= 12, bytes.count - 12 == Int(bytes.littleEndian(UInt32.self, at: 8)) else {
                throw Self.unreadable
            }
            slot = bytes.littleEndian(UInt64.self, at: 0)
            configuration = [UInt8](bytes.dropFirst(12))
            tables = StoreTable.allCases.map { $0.listed }
            spaces = []
            return
        }
        var decoder = CommandDecoder(UnsafeRawBufferPointer(rebasing: bytes[Self.magic.count...]))
        do {
            let format = try decoder.number()
            guard format == Self.currentFormat else {
                throw CheckpointError(
                    .unknown,
                    "a checkpoint of format \(format), where this program knows format \(Self.currentFormat): "
                        + Self.advice)
            }
            slot = try decoder.number()
            revision = try decoder.signedNumber()
            configuration = try decoder.string()
            tables = try decoder.elements { Table(number: try $0.byte(), name: try $0.text()) }
            spaces = try decoder.elements {
                SpaceVersions(
                    space: SpaceID(rawValue: try $0.byte()), commands: try $0.byte(), tables: try $0.byte())
            }
            try decoder.end()
        } catch is CommandDecodingError {
            throw Self.unreadable
        }
    }

    private static let advice = "use the version of synod that wrote it, or a later one"
    private static var unreadable: CheckpointError {
        CheckpointError(.damaged, "a checkpoint's head that cannot be read")
    }

    // MARK: What this program knows

    /// The table behind each number in the rows, and its place in the order of the tables.
    func knownTables() throws -> [(number: UInt8, table: StoreTable)] {
        try tables.map { listed in
            guard let table = StoreTable.allCases.first(where: { $0.name == listed.name }) else {
                throw CheckpointError(
                    .unknown,
                    "a checkpoint with the table \"\(listed.name)\", which this program does not know: \(Self.advice)"
                )
            }
            guard tables.count(where: { $0.number == listed.number || $0.name == listed.name }) == 1 else {
                throw Self.unreadable
            }
            return (listed.number, table)
        }
    }

    func judgeSpaces(_ families: [any Space.Type]) throws {
        for versions in spaces {
            guard let known = families.first(where: { $0.id == versions.space })?.versions else {
                throw CheckpointError(
                    .unknown,
                    "a checkpoint with the space \(versions.space.rawValue), which this program does not know: "
                        + Self.advice)
            }
            guard versions.commands <= known.commands, versions.tables <= known.tables else {
                throw CheckpointError(
                    .unknown,
                    "a checkpoint with commands of version \(versions.commands) and tables of version "
                        + "\(versions.tables) of the space \(versions.space.rawValue), where this program knows "
                        + "those up to \(known.commands) and \(known.tables): \(Self.advice)")
            }
        }
    }
}

extension Space {
    fileprivate static var versions: CheckpointHead.SpaceVersions {
        .init(space: id, commands: Command.currentVersion, tables: tablesVersion)
    }
}

extension StoreTable {
    fileprivate var listed: CheckpointHead.Table { .init(number: rawValue, name: name) }

    /// By which a checkpoint names it; never changed, whatever becomes of the number.
    var name: String {
        switch self {
        case .meta: "meta"
        case .index: "index"
        case .history: "history"
        case .lease: "lease"
        case .attachment: "attachment"
        case .family: "family"
        }
    }
}
