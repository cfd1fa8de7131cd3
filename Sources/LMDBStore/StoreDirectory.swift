import Coordination
import Glibc

/// Where a store lies: a directory with the data file, LMDB's lock file and the point.
///
/// A store that is being made lies beside it under the same name with `.new` and takes its place by renaming
/// when it is complete; what it replaces is called `.old` until it is gone.
enum StoreDirectory {
    static let dataName = "data.mdb"

    /// Where a checkpoint that arrives is made into a store.
    static func incoming(_ path: String) -> String { path + ".incoming" }
    static func fresh(_ path: String) -> String { path + ".new" }
    private static func stale(_ path: String) -> String { path + ".old" }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Ends what a crash interrupted.
    static func settle(_ path: String, synchronises: Bool) throws {
        if !exists(path) {
            if exists(stale(path)), exists(fresh(path)) {
                try move(fresh(path), to: path)
            } else if exists(stale(path)) {
                try move(stale(path), to: path)
            }
        }
        // A process that was killed between a renaming and its sync leaves names that are not durable. What they
        // replace is removed only then.
        if synchronises, exists(path) {
            try synchronize(path)
            try synchronize(parent(path))
        }
        remove(incoming(path))
        remove(fresh(path))
        remove(stale(path))
    }

    /// Makes an empty directory for a store that is to replace the one at `path`.
    static func makeFresh(_ path: String) throws -> String {
        remove(fresh(path))
        try create(fresh(path))
        return fresh(path)
    }

    /// Puts the complete store beside `path` in its place.
    static func replace(_ path: String) throws {
        try synchronize(fresh(path))
        if exists(path) {
            remove(stale(path))
            try move(path, to: stale(path))
        }
        try move(fresh(path), to: path)
        try synchronize(parent(path))
        remove(stale(path))
    }

    static func remove(_ path: String) {
        for name in names(path) { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    private static func create(_ path: String) throws {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, parent(path) != path else { throw StoreError(system: "creating", path) }
        try create(parent(path))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw StoreError(system: "creating", path) }
    }

    private static func move(_ path: String, to new: String) throws {
        guard rename(path, new) == 0 else { throw StoreError(system: "renaming", path) }
    }

    private static func synchronize(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError(system: "opening", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StoreError(system: "syncing", path) }
    }

    private static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func names(_ path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
