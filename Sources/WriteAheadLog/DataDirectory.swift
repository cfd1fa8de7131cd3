import Automata
import Glibc

/// The directory that holds everything a member keeps, used by one process at a time.
///
/// It records the version of its layout, the cluster and the member, so that neither another cluster nor
/// another member ever works on it, and the name of the disk and the formation of the cluster, so that a member
/// that has lost its memory does not pass for one that never promised anything. The names `LOCK` and `identity`
/// are its own.
public final class DataDirectory: @unchecked Sendable {
    static let identityName = "identity"
    private static let lockName = "LOCK"

    public let path: String
    /// Whose directory it is; nil as long as nobody has claimed it.
    public private(set) var identity: Identity?
    private var lock: Int32

    private init(_ path: String, lock: Int32) {
        self.path = path
        self.lock = lock
    }

    deinit { close() }

    /// Makes the directory when there is none, and takes it for this process. Throws `.inUse` while another
    /// has it.
    public static func open(_ path: String) throws -> DataDirectory {
        do {
            let files = SystemFiles.shared
            try files.makeDirectory(path)
            let directory = DataDirectory(path, lock: try takeLock(path))
            for name in try files.names(in: path) where name.hasSuffix(".tmp") { unlink("\(path)/\(name)") }
            // A process before this one may have died between giving a file its name and making that durable.
            try files.synchronizeDirectory(path)
            if let bytes = try directory.read(identityName) {
                directory.identity = try Identity(decoding: bytes, path: directory.path(of: identityName))
            }
            return directory
        } catch let error as FileError {
            throw DataDirectoryError(error)
        }
    }

    /// Whether a directory belongs to somebody, without taking it.
    public static func isClaimed(_ path: String) -> Bool { access("\(path)/\(identityName)", F_OK) == 0 }

    /// Makes the directory belong to the member of `identity`, and when it is new names its disk as that says;
    /// throws `.foreign` when it belongs to another.
    public func claim(_ identity: Identity) throws {
        if let owner = self.identity {
            guard owner.clusterID == identity.clusterID, owner.memberID == identity.memberID else {
                throw DataDirectoryError(
                    .foreign,
                    "\(path) belongs to \(owner), not to \(identity): use the directory of that member")
            }
            return
        }
        try write(identity)
    }

    /// Makes durable how the member's cluster began. A directory keeps one formation for ever.
    public func record(_ formation: Formation) throws {
        guard var identity else { preconditionFailure("\(path) belongs to nobody") }
        precondition(identity.formation == nil || identity.formation == formation, "\(path) has a formation")
        identity.formation = formation
        try write(identity)
    }

    /// Gives a directory that was made before disks had names, and in which nothing was ever written, a name
    /// for its disk.
    public func name(disk: UInt64) throws {
        guard var identity else { preconditionFailure("\(path) belongs to nobody") }
        identity.disk = disk
        try write(identity)
    }

    private func write(_ identity: Identity) throws {
        try replace(Self.identityName, with: identity.encoded)
        self.identity = identity
    }

    public func path(of name: String) -> String { "\(path)/\(name)" }

    /// The bytes of a file in the directory; nil when there is none.
    public func read(_ name: String) throws -> [UInt8]? {
        do {
            let contents = try LogFile(path(of: name)).contents()
            defer { contents.deallocate() }
            return [UInt8](contents)
        } catch {
            if error.code == .missing { return nil }
            throw DataDirectoryError(error)
        }
    }

    /// Makes `bytes` the contents of a file: after a crash it has the old ones or the new ones.
    public func replace(_ name: String, with bytes: [UInt8]) throws {
        let draft = path(of: name) + ".tmp"
        do {
            let file = try LogFile(draft, create: true)
            do {
                try bytes.withUnsafeBytes { try file.write($0, at: 0) }
                try file.synchronize()
                try file.rename(to: path(of: name), in: SystemFiles.shared)
            } catch {
                unlink(draft)
                throw error
            }
            try SystemFiles.shared.synchronizeDirectory(path)
        } catch let error as FileError {
            throw DataDirectoryError(error)
        }
    }

    /// Lets other processes use the directory.
    public func close() {
        guard lock >= 0 else { return }
        Glibc.close(lock)
        lock = -1
    }

    private static func takeLock(_ path: String) throws -> Int32 {
        let name = "\(path)/\(lockName)"
        let descriptor = Glibc.open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError("open", name, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            defer { Glibc.close(descriptor) }
            guard number == EWOULDBLOCK else { throw FileError("lock", name, number) }
            var holder = [UInt8](repeating: 0, count: 20)
            let count = pread(descriptor, &holder, holder.count, 0)
            let process = String(decoding: holder.prefix(max(0, count)).prefix { $0 > 32 }, as: UTF8.self)
            throw DataDirectoryError(
                .inUse,
                "\(path) is in use by process \(process): stop that one or choose another data directory")
        }
        // For the message above only; the lock itself ends with the process.
        let line = Array("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        pwrite(descriptor, line, line.count, 0)
        return descriptor
    }
}

/// Why a data directory cannot be used.
public struct DataDirectoryError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        case inUse
        /// It belongs to another cluster or member, or to a newer version of this program.
        case foreign
        case damaged
        case full
        case failed
    }
    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: FileError) {
        self.init(error.code == .noRoom ? .full : .failed, error.message)
    }

    public var description: String { message }
}
