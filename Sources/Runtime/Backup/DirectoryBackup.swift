import Coordination
import WriteAheadLog

/// Reads a backup out of the data directory of a member that does not run.
///
/// It holds what the member had applied when its store was last made durable, which is everything after an end in
/// order. What a member that was killed has besides stands in its log, and comes with a backup once it runs again.
public enum DirectoryBackup {
    /// Calls `write` with the bytes of the backup, in order. Throws what that throws, and `ServerError`.
    public static func write(of path: String, to write: ([UInt8]) throws -> Void) throws {
        guard DataDirectory.isClaimed(path) else {
            throw ServerError(.foreignDirectory, "\(path) is not the data directory of a member")
        }
        let directory = try DataDirectory.open(path)
        defer { directory.close() }
        let options = ServerOptions(dataDirectory: path)
        let folders = try StoreFolders(directory) { try openLMDBStore($0, options) }
        let view = try folders.open(folders.current).openView()
        defer { view.close() }
        var writer = try CheckpointWriter(of: view)
        while let piece = try writer.next() { try write(piece.enveloped) }
    }
}
