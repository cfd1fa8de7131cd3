import CLinux
import Glibc

/// What the operating system answered to a call that failed.
struct SystemError: Error {
    let code: Int32
    let call: String
    let path: String

    init(_ call: String, _ path: String, code: Int32 = errno) {
        self.code = code
        self.call = call
        self.path = path
    }

    var isFull: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }
    var message: String { "\(call) \(path): \(String(cString: strerror(code)))" }
    var asLogError: WriteAheadLogError { WriteAheadLogError(isFull ? .full : .failed, message) }
}

/// One open file. Used by one thread at a time; closed when it is let go of.
final class LogFile {
    let descriptor: Int32
    private(set) var path: String
    /// Up to here something was written, if only zeros: syncing a write below it need not sync a new size.
    private(set) var size: Int
    /// Up to here the file system has promised room.
    private(set) var reserved: Int

    init(_ path: String, create: Bool) throws(SystemError) {
        let flags = O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0)
        descriptor = Glibc.open(path, flags, 0o600)
        self.path = path
        size = 0
        reserved = 0
        guard descriptor >= 0 else { throw SystemError("open", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError("stat", path) }
        size = Int(status.st_size)
        reserved = size
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemError) {
        try write(bytes, at: offset, by: pwrite)
    }

    /// Writes so that the bytes are durable when this returns. What was written before is not made durable.
    func writeDurably(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemError) {
        do {
            try write(bytes, at: offset, by: linux_write_durably)
        } catch  where error.code == EOPNOTSUPP || error.code == ENOSYS {
            try write(bytes, at: offset)
            try synchronize()
        }
    }

    private func write(
        _ bytes: UnsafeRawBufferPointer, at offset: Int,
        by call: (Int32, UnsafeRawPointer?, Int, off_t) -> Int
    ) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let written = call(
                descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            guard written > 0 else {
                if written < 0, errno == EINTR { continue }
                throw SystemError("write", path, code: written == 0 ? ENOSPC : errno)
            }
            done += written
        }
        size = max(size, offset + done)
        reserved = max(reserved, size)
    }

    /// Reads the whole file.
    func contents() throws(SystemError) -> UnsafeMutableRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        var done = 0
        while done < size {
            let count = pread(descriptor, buffer.baseAddress! + done, size - done, off_t(done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                buffer.deallocate()
                throw SystemError("read", path, code: count == 0 ? EIO : errno)
            }
            done += count
        }
        return buffer
    }

    /// Makes the file system promise room up to `end` without changing the size. A file system that cannot
    /// promise gets zeros instead.
    func reserve(upTo end: Int) throws(SystemError) {
        while end > reserved {
            if linux_reserve(descriptor, off_t(reserved), off_t(end - reserved)) == 0 {
                reserved = end
            } else if errno == EOPNOTSUPP || errno == ENOSYS {
                try writeZeros(upTo: end)
            } else if errno != EINTR {
                throw SystemError("reserve room in", path)
            }
        }
    }

    func writeZeros(upTo end: Int) throws(SystemError) {
        while size < end { try zero(size, min(end - size, Self.zeros.count)) }
    }

    func zero(_ offset: Int, _ count: Int) throws(SystemError) {
        var done = 0
        while done < count {
            let piece = min(count - done, Self.zeros.count)
            try write(UnsafeRawBufferPointer(rebasing: Self.zeros[..<piece]), at: offset + done)
            done += piece
        }
    }

    func synchronize() throws(SystemError) {
        while fdatasync(descriptor) != 0 {
            if errno != EINTR { throw SystemError("sync", path) }
        }
    }

    func rename(to new: String) throws(SystemError) {
        guard Glibc.rename(path, new) == 0 else { throw SystemError("rename", path) }
        path = new
    }

    private nonisolated(unsafe) static let zeros = UnsafeRawBufferPointer(
        start: calloc(1, 1 << 20), count: 1 << 20)
}

/// Calls on a directory.
enum Folder {
    static func names(in path: String) throws(SystemError) -> [String] {
        guard let stream = opendir(path) else { throw SystemError("list", path) }
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

    /// Makes the names in the directory durable.
    static func synchronize(_ path: String) throws(SystemError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemError("sync", path) }
    }

    /// Makes the directory and those above it, readable by the owner alone.
    static func create(_ path: String) throws(SystemError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw SystemError("create", path)
        }
        try create(String(path[..<slash]))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SystemError("create", path) }
    }
}
