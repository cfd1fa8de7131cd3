import Automata
import Glibc

/// One open file, with how far it is written and reserved. Used by one thread at a time.
final class LogFile {
    private let file: any OpenFile
    private(set) var path: String
    /// Up to here something was written, if only zeros: syncing a write below it need not sync a new size.
    private(set) var size: Int
    /// Up to here the file system has promised room.
    private(set) var reserved: Int

    init(_ path: String, create: Bool = false, in files: any FileSystem = SystemFiles.shared)
        throws(FileError)
    {
        file = create ? try files.create(path) : try files.open(path)
        self.path = path
        size = file.sizeAtOpening
        reserved = size
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        try file.write(bytes, at: offset)
        noteWritten(upTo: offset + bytes.count)
    }

    /// Writes so that the bytes are durable when this returns. What was written before is not made durable.
    func writeDurably(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
        try file.writeDurably(bytes, at: offset)
        noteWritten(upTo: offset + bytes.count)
    }

    private func noteWritten(upTo end: Int) {
        size = max(size, end)
        reserved = max(reserved, size)
    }

    /// Reads the first `count` bytes, fewer when the file is shorter; the whole file when that is nil.
    func contents(_ count: Int? = nil) throws(FileError) -> UnsafeMutableRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(count ?? size, size), alignment: 16)
        do {
            try file.read(into: buffer, at: 0)
        } catch {
            buffer.deallocate()
            throw error
        }
        return buffer
    }

    /// Makes the file system promise room up to `end` without changing the size. A file system that cannot
    /// promise gets zeros instead.
    func reserve(upTo end: Int) throws(FileError) {
        guard end > reserved else { return }
        do {
            try file.reserve(reserved..<end)
            reserved = end
        } catch  where error.code == .unsupported {
            try writeZeros(upTo: end)
        }
    }

    func writeZeros(upTo end: Int) throws(FileError) {
        while size < end { try zero(size, min(end - size, Self.zeros.count)) }
    }

    func zero(_ offset: Int, _ count: Int) throws(FileError) {
        var done = 0
        while done < count {
            let piece = min(count - done, Self.zeros.count)
            try write(UnsafeRawBufferPointer(rebasing: Self.zeros[..<piece]), at: offset + done)
            done += piece
        }
    }

    func synchronize() throws(FileError) { try file.synchronize() }

    func rename(to new: String, in files: any FileSystem) throws(FileError) {
        try files.rename(path, to: new)
        path = new
    }

    /// Made once, never freed.
    private nonisolated(unsafe) static let zeros = UnsafeRawBufferPointer(
        start: calloc(1, 1 << 20), count: 1 << 20)
}
