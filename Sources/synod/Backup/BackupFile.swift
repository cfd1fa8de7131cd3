import Automata
import Coordination
import Glibc
import WriteAheadLog

/// Where a backup goes. Under its name there is a whole and durable one or what was there before.
final class BackupFile {
    private let path: String
    /// Of the standard output there is none.
    private let draft: String?
    private let descriptor: Int32
    private var stream = CheckpointStream()
    private var bytes = 0

    init(_ path: String) throws {
        self.path = path
        guard path != "-" else {
            draft = nil
            descriptor = 1
            return
        }
        let draft = "\(path).\(getpid()).tmp"
        descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw UsageError(message: Self.failure("create", draft)) }
        self.draft = draft
    }

    /// What comes is verified on its way, so that a backup that is not whole is found when it is taken.
    func write(_ piece: [UInt8]) throws {
        try piece.withUnsafeBytes { piece in
            try stream.verify(piece)
            var rest = piece[...]
            while !rest.isEmpty {
                let count = Glibc.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    throw UsageError(message: Self.failure("write", draft ?? "to standard output"))
                }
                rest = rest.dropFirst(count)
            }
        }
        bytes += piece.count
    }

    func finish() throws {
        try stream.expectEnd()
        if let draft {
            guard fsync(descriptor) == 0, close(descriptor) == 0 else {
                throw UsageError(message: Self.failure("sync", draft))
            }
            try SystemFiles.shared.rename(draft, to: path)
            let slash = path.lastIndex(of: "/")
            let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
            try SystemFiles.shared.synchronizeDirectory(folder)
        }
        let head = stream.contents.head
        let line =
            "\(draft == nil ? "the backup" : path) holds revision \(head?.revision ?? 0), as applied at slot "
            + "\(head?.slot ?? 0): \(stream.contents.rows) entries, \(bytes) bytes\n"
        writeAll(line, to: draft == nil ? 2 : 1)
    }

    func discard() {
        if let draft { unlink(draft) }
    }

    static func failure(_ verb: String, _ path: String) -> String {
        "cannot \(verb) \(path): \(String(cString: strerror(errno)))"
    }
}

/// Where a backup comes from.
final class BackupSource {
    private static let chunkBytes = 1 << 20

    private let path: String
    private let descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw UsageError(message: BackupFile.failure("open", path)) }
    }

    deinit { close(descriptor) }

    /// The next bytes; none at the end.
    func read() throws -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: Self.chunkBytes)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw UsageError(message: BackupFile.failure("read", path)) }
            return Array(chunk[..<count])
        }
    }
}
