/// Up to which version a program understands the commands of each family. Members tell it to each other, so that none
/// proposes what another would stop at (see `UnknownCommand`).
public struct CommandVersions: Hashable, Sendable {
    private struct Entry: Hashable, Sendable {
        var space: SpaceID
        var latest: UInt8
    }

    /// In ascending order of the spaces.
    private var entries: [Entry]

    /// Of this program.
    public init(of families: [any Space.Type] = Ledger.families) {
        entries = families.map { Entry(space: $0.id, latest: $0.latestCommands) }
            .sorted { $0.space.rawValue < $1.space.rawValue }
    }

    /// What members understand that say nothing of it.
    public static let base = CommandVersions([Entry(space: .keyValue, latest: 1)])

    private init(_ entries: [Entry]) { self.entries = entries }

    /// Nil where it does not know the space.
    public func latest(of space: SpaceID) -> UInt8? { entries.first { $0.space == space }?.latest }

    public func understands(version: UInt8, of space: SpaceID) -> Bool {
        latest(of: space).map { version <= $0 } ?? false
    }

    // MARK: On the wire: how many, then of each the space's id and its latest version, a byte each

    public var encoded: [UInt8] {
        [UInt8(entries.count)] + entries.flatMap { [$0.space.rawValue, $0.latest] }
    }

    /// Throws `CommandDecodingError`.
    public init(decoding bytes: UnsafeRawBufferPointer) throws {
        var decoder = CommandDecoder(bytes)
        var entries: [Entry] = []
        for _ in 0..<(try decoder.byte()) {
            entries.append(Entry(space: SpaceID(rawValue: try decoder.byte()), latest: try decoder.byte()))
        }
        try decoder.end()
        self.entries = entries
    }
}

extension Space {
    fileprivate static var latestCommands: UInt8 { Command.currentVersion }
}
