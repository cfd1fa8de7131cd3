import Automata
import Coordination
import Glibc
import WriteAheadLog

/// Makes of a backup the data directory of one member of a new cluster.
///
/// The cluster is formed as every other when its first members are started, all of which have to be restored from the
/// same backup: that is part of the cluster's id. Keys, revisions, leases and the history that was not compacted are
/// what they were; `NewBeginning` says what is not.
public struct Restoration: Sendable {
    public let head: CheckpointHead
    /// Keys and values in all tables.
    public let rows: UInt64
    public let clusterID: UInt64
    public let memberID: UInt64

    /// What an empty volume may hold.
    private static let innocent = ["lost+found"]

    /// Restores into `options.dataDirectory`, which is made or has to be empty. When it fails, nothing of it stays.
    ///
    /// The identity comes last: a directory that was left half made has none, and no member starts with it.
    ///
    /// - Parameters:
    ///   - options: of the member; only what describes a first start counts.
    ///   - read: the next bytes of the backup, none at its end.
    ///
    /// Throws `CheckpointError` for what is no whole backup, and `ServerError`.
    public static func restore(
        _ options: ServerOptions, reading read: () throws -> [UInt8]
    ) throws -> Restoration {
        // What is wrong with the options is said before anything is made.
        _ = try Identity(options, owner: nil)
        let path = options.dataDirectory
        let isNew = access(path, F_OK) != 0
        if !isNew {
            let found = try SystemFiles.shared.names(in: path).filter { !innocent.contains($0) }
            guard found.isEmpty else {
                throw ServerError(
                    .foreignDirectory,
                    "\(path) is not empty, it holds \(found.prefix(3).joined(separator: ", ")): restore into a new "
                        + "directory")
            }
        }
        let directory = try DataDirectory.open(path)
        defer { directory.close() }
        do {
            return try restore(options, into: directory, read)
        } catch {
            removeContents(of: path)
            if isNew { rmdir(path) }
            throw error
        }
    }

    private static func restore(
        _ options: ServerOptions, into directory: DataDirectory, _ read: () throws -> [UInt8]
    ) throws -> Restoration {
        let folders = try StoreFolders(directory) { try openLMDBStore($0, options) }
        let store = try folders.open(folders.current)
        let contents = CheckpointSink(store)
        while case let bytes = try read(), !bytes.isEmpty { try contents.receive(bytes) }
        let (head, rows, digest) = try contents.end()
        try store.write { try NewBeginning.begin(in: $0) }
        try store.synchronize()

        let identity = try Identity(options, owner: nil, origin: digest)
        let first = FirstMembers(isJoining: false, members: identity.members, origin: digest)
        try directory.replace(FirstMembers.fileName, with: first.encoded())
        try directory.claim(
            .init(
                clusterID: identity.clusterID, memberID: identity.memberID.rawValue,
                disk: UInt64.random(in: 1 ... .max)))
        return Restoration(
            head: head, rows: rows, clusterID: identity.clusterID, memberID: identity.memberID.rawValue)
    }

    private static func removeContents(of path: String) {
        for name in (try? SystemFiles.shared.names(in: path)) ?? [] where !innocent.contains(name) {
            if unlink("\(path)/\(name)") == 0 { continue }
            removeContents(of: "\(path)/\(name)")
            rmdir("\(path)/\(name)")
        }
    }
}

/// Puts a checkpoint into a store, and syncs now and then so that not all of it waits for the disk at the end.
private final class CheckpointSink {
    private static let syncBytes = 64 << 20

    private let store: any ServerStore
    private var stream = CheckpointStream()
    private var sinceSync = 0

    init(_ store: any ServerStore) { self.store = store }

    func receive(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try stream.receive($0, into: store) }
        sinceSync += bytes.count
        guard sinceSync >= Self.syncBytes else { return }
        sinceSync = 0
        try store.synchronize()
    }

    func end() throws -> (head: CheckpointHead, rows: UInt64, digest: UInt64) {
        try stream.expectEnd()
        try store.read { try stream.contents.judge($0) }
        guard let head = stream.contents.head else { preconditionFailure("a whole checkpoint has a head") }
        return (head, stream.contents.rows, stream.digest)
    }
}
