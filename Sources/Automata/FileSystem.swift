/// The operations on files that something durable is made of, so that one source runs on the operating
/// system's files and on simulated ones, which lose power.
///
/// A write reaches a cache, from which other processes read it. It is safe against a loss of power when a
/// `synchronize` of its file has returned, a name when a `synchronizeDirectory` has. After either has failed
/// nobody knows what the disk holds, and a second one that succeeds proves nothing about the first: the
/// system may have forgotten that there was something to write (Rebello et al., "Can Applications Recover
/// from fsync Failures?", USENIX ATC 2020).
public protocol FileSystem: AnyObject, Sendable {
    /// Makes an empty file in the place of whatever has that name.
    func create(_ path: String) throws(FileError) -> any OpenFile
    func open(_ path: String) throws(FileError) -> any OpenFile
    /// The names in a directory, ascending.
    func names(in directory: String) throws(FileError) -> [String]
    /// Replaces whatever has the new name, at once.
    func rename(_ path: String, to new: String) throws(FileError)
    func remove(_ path: String) throws(FileError)
    /// Makes a directory and those above it, durably; does nothing when there is one.
    func makeDirectory(_ path: String) throws(FileError)
    /// Makes durable which names there are and which files they name.
    func synchronizeDirectory(_ path: String) throws(FileError)
}

/// A file to read and write at any offset, by one thread at a time. It is closed when it is let go of.
public protocol OpenFile: AnyObject {
    /// In bytes, when it was opened.
    var sizeAtOpening: Int { get }
    /// Fills the buffer; throws when the file ends before.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError)
    /// Makes the file longer where it must. When it throws, some of the bytes may be written.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError)
    /// Returns when the bytes are durable. What was written before need not be.
    func writeDurably(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError)
    /// Makes the file system promise room for these bytes without making the file longer. Throws
    /// `.unsupported` where it cannot.
    func reserve(_ range: Range<Int>) throws(FileError)
    /// Makes all that was written durable.
    func synchronize() throws(FileError)
}

/// What an operation on a file came to.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        case noRoom
        /// There is nothing of that name.
        case missing
        /// This file system has no such operation.
        case unsupported
        case failed
    }

    public var code: Code
    /// What was tried on which file, and what the system said.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
