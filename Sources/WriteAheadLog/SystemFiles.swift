import Automata
import CLinux
import Glibc

/// The operating system's files.
public final class SystemFiles: FileSystem {
    public static let shared = SystemFiles()

    private init() {}

    public func create(_ path: String) throws(FileError) -> any OpenFile {
        try SystemFile(path, O_CREAT | O_TRUNC)
    }

    public func open(_ path: String) throws(FileError) -> any OpenFile { try SystemFile(path, 0) }

    public func names(in path: String) throws(FileError) -> [String] {
        guard let stream = opendir(path) else { throw FileError("list", path, errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    public func rename(_ path: String, to new: String) throws(FileError) {
        guard Glibc.rename(path, new) == 0 else { throw FileError("rename", path, errno) }
    }

    public func remove(_ path: String) throws(FileError) {
        guard unlink(path) == 0 else { throw FileError("remove", path, errno) }
    }

    /// Readable by the owner alone.
    public func makeDirectory(_ path: String) throws(FileError) {
        if mkdir(path, 0o700) == 0 { return try synchronizeDirectory(Self.parent(of: path)) }
        if errno == EEXIST { return }
        let parent = Self.parent(of: path)
        guard errno == ENOENT, parent != path else { throw FileError("create", path, errno) }
        try makeDirectory(parent)
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileError("create", path, errno) }
        try synchronizeDirectory(parent)
    }

    public func synchronizeDirectory(_ path: String) throws(FileError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", path, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError("sync", path, errno) }
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

final class SystemFile: OpenFile {
    private let descriptor: Int32
    private let path: String
    let sizeAtOpening: Int

    init(_ path: String, _ flags: Int32) throws(FileError) {
        descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC | flags, 0o600)
        self.path = path
        var status = stat()
        let isOpen = descriptor >= 0 && fstat(descriptor, &status) == 0
        sizeAtOpening = Int(status.st_size)
        guard isOpen else { throw FileError("open", path, errno) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileError("read", path, count == 0 ? EIO : errno) }
            done += count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        try write(bytes, at: offset, by: pwrite)
    }

    func writeDurably(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        do {
            try write(bytes, at: offset, by: linux_write_durably)
        } catch  where error.code == .unsupported {
            try write(bytes, at: offset)
            try synchronize()
        }
    }

    private func write(
        _ bytes: UnsafeRawBufferPointer, at offset: Int,
        by call: (Int32, UnsafeRawPointer?, Int, off_t) -> Int
    ) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let written = call(
                descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            guard written > 0 else {
                if written < 0, errno == EINTR { continue }
                throw FileError("write", path, written == 0 ? ENOSPC : errno)
            }
            done += written
        }
    }

    func reserve(_ range: Range<Int>) throws(FileError) {
        while linux_reserve(descriptor, off_t(range.lowerBound), off_t(range.count)) != 0 {
            guard errno == EINTR else { throw FileError("reserve room in", path, errno) }
        }
    }

    func synchronize() throws(FileError) {
        while fdatasync(descriptor) != 0 {
            guard errno == EINTR else { throw FileError("sync", path, errno) }
        }
    }
}

extension FileError {
    /// What the operating system answered to a call.
    init(_ call: String, _ path: String, _ number: Int32) {
        let code: Code =
            switch number {
            case ENOSPC, EDQUOT, EFBIG: .noRoom
            case ENOENT: .missing
            case EOPNOTSUPP, ENOSYS: .unsupported
            default: .failed
            }
        self.init(
            code,
            "\(call) \(path): \(String(cString: strerror(number)))\(String(cString: linux_advice(number)))")
    }

    var asLogError: WriteAheadLogError { WriteAheadLogError(code == .noRoom ? .full : .failed, message) }
}
