import Coordination
import Glibc

/// Makes a store of a checkpoint beside the one in use, and puts it in its place.
///
/// Used by one thread at a time. A checkpoint that did not arrive whole leaves nothing behind.
public final class CheckpointInstaller {
    private let directory: String
    private let options: LMDBStore.Options
    private var store: LMDBStore?
    private var reader = CheckpointReader()

    /// For the store in `directory`, which may stay in use until `install`, or not exist.
    public init(for directory: String, options: LMDBStore.Options = LMDBStore.Options()) throws {
        self.directory = directory
        self.options = options
        StoreDirectory.remove(StoreDirectory.incoming(directory))
        store = try LMDBStore.open(StoreDirectory.incoming(directory), options: options)
    }

    deinit { cancel() }

    /// Takes the next bytes of the stream, of any number. Throws `.damaged` when they are not a checkpoint's
    /// and `.full` when there is no room; the installation is then at its end.
    public func take(_ bytes: UnsafeRawBufferPointer) throws {
        guard let store else { throw StoreError(.failed, "the installation of the checkpoint has ended") }
        do {
            try store.write { transaction in
                try reader.take(bytes) { table, key, value in
                    try transaction.append(value, for: key, in: table)
                }
            }
        } catch {
            cancel()
            throw error
        }
    }

    public func take(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try take($0) } }

    /// Makes what arrived durable, puts it in the place of the store in use, and opens it. That other store
    /// must not be written any more; its views can be used until they are closed.
    public func install() throws -> LMDBStore {
        do {
            try complete()
        } catch {
            cancel()
            throw error
        }
        // Nobody may have it open when it is opened in its new place.
        store = nil
        let incoming = StoreDirectory.incoming(directory)
        let fresh = StoreDirectory.fresh(directory)
        StoreDirectory.remove(fresh)
        guard rename(incoming, fresh) == 0 else { throw StoreError(system: "renaming", incoming) }
        try StoreDirectory.replace(directory)
        return try LMDBStore.open(directory, options: options)
    }

    private func complete() throws {
        guard let store else { throw StoreError(.failed, "the installation of the checkpoint has ended") }
        try reader.finish()
        try store.synchronize()
    }

    /// Forgets what arrived.
    public func cancel() {
        guard store != nil else { return }
        store = nil
        StoreDirectory.remove(StoreDirectory.incoming(directory))
    }
}
