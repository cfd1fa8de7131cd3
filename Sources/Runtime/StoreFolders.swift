import Coordination
import Glibc
import Synchronization
import WriteAheadLog

/// Where the stores of a data directory lie. One is in use, named by the file `current-store`, which changes
/// atomically; another one is there only while a checkpoint arrives.
final class StoreFolders: Sendable {
    struct Folder: Hashable, Sendable {
        var number: UInt64
        var name: String { "store-\(number)" }
    }

    private static let pointer = "current-store"

    private let directory: DataDirectory
    private let openStore: @Sendable (String) throws -> any ServerStore
    private let state: Mutex<(current: Folder, next: UInt64)>

    /// Finds the store in use and removes what an interrupted checkpoint or switch has left.
    init(
        _ directory: DataDirectory, openStore: @escaping @Sendable (String) throws -> any ServerStore
    ) throws {
        self.directory = directory
        self.openStore = openStore
        var current = Folder(number: 1)
        if let bytes = try directory.read(StoreFolders.pointer) {
            let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first ?? ""
            guard let number = UInt64(text) else {
                throw ServerError(
                    .damaged,
                    "\(directory.path(of: StoreFolders.pointer)) cannot be read: it names the store that is in use. "
                        + "Put it back as it was")
            }
            current = Folder(number: number)
            // A process that was killed between renaming the file and syncing the directory has left a name that is
            // not durable, and the store that it named before is about to be removed.
            try synchronizeFolder(directory.path)
        } else if let orphan = Self.folders(in: directory.path).first {
            throw ServerError(
                .damaged,
                "\(directory.path(of: StoreFolders.pointer)) is missing beside \(orphan): it names the store that "
                    + "is in use. Put it back as it was")
        } else {
            try directory.replace(StoreFolders.pointer, with: Array("1\n".utf8))
        }
        state = Mutex((current, current.number + 1))
        // What the store itself keeps beside its folder begins with the folder's name and a dot.
        for name in Self.folders(in: directory.path)
        where name != current.name && !name.hasPrefix("\(current.name).") {
            removeFolder(directory.path(of: name))
        }
    }

    private static func folders(in path: String) -> [String] {
        folderNames(in: path).filter { $0.hasPrefix("store-") }.sorted()
    }

    /// Whether the directory holds anything of a store.
    static func arePresent(in directory: DataDirectory) -> Bool {
        folderNames(in: directory.path).contains { $0 == pointer || $0.hasPrefix("store-") }
    }

    var current: Folder { state.withLock { $0.current } }

    func open(_ folder: Folder) throws -> any ServerStore {
        try openStore(directory.path(of: folder.name))
    }

    func makeIncoming() throws -> Folder {
        let folder = state.withLock { state in
            defer { state.next += 1 }
            return Folder(number: state.next)
        }
        removeFolder(directory.path(of: folder.name))
        return folder
    }

    /// From now on a restart finds this one. The old one's files go; who reads in it goes on doing so.
    func use(_ folder: Folder) throws {
        try directory.replace(StoreFolders.pointer, with: Array("\(folder.number)\n".utf8))
        let old = state.withLock { state in
            defer { state.current = folder }
            return state.current
        }
        removeFolder(directory.path(of: old.name))
    }

    func discard(_ folder: Folder) { removeFolder(directory.path(of: folder.name)) }
}

private func folderNames(in path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}

private func synchronizeFolder(_ path: String) throws {
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw ServerError(.failed, "cannot open \(path): error \(errno)") }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw ServerError(.failed, "cannot sync \(path): error \(errno)") }
}

/// Stores are folders of plain files.
private func removeFolder(_ path: String) {
    for name in folderNames(in: path) { unlink("\(path)/\(name)") }
    rmdir(path)
}
