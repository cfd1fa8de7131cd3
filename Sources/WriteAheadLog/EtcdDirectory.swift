import Glibc

/// Recognises what a real etcd has left, so that nobody who starts this program under its name, on its directory,
/// finds an empty store where theirs was.
public enum EtcdDirectory {
    /// How much of its store is searched for a version.
    private static let searched = 64 << 20

    /// Throws `.foreign` when the data directory is an etcd's and no member of ours has ever used it, or when the
    /// directory of the log is one of its own.
    public static func refuse(data: String, log: String?) throws(DataDirectoryError) {
        let found = ["member/wal", "member/snap/db"].filter { isThere("\(data)/\($0)") }
        if !found.isEmpty, !DataDirectory.isClaimed(data) {
            let version =
                version(of: "\(data)/member/snap/db").map { " whose cluster has version \($0)" } ?? ""
            throw DataDirectoryError(
                .foreign,
                "\(data) holds the data of an etcd\(version) (\(found.joined(separator: ", "))), which this program does "
                    + "not read; \(way)")
        }
        if let log, let name = try? SystemFiles.shared.names(in: log).first(where: isLog) {
            throw DataDirectoryError(
                .foreign, "\(log) is the log of an etcd (\(name)), which this program does not read; \(way)")
        }
    }

    private static let way =
        "start on a new directory, and while that etcd serves, let etcdctl --endpoints=ETCD make-mirror HOST:PORT copy its "
        + "keys here (without their revisions and leases)"

    /// Two numbers of 16 digits with a dash between them.
    private static func isLog(_ name: String) -> Bool {
        name.utf8.count == 37 && name.hasSuffix(".wal") && Array(name.utf8)[16] == UInt8(ascii: "-")
    }

    private static func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The cluster's version as the store's file has it: a key and, right behind it, its value. Pages that are no
    /// longer used may hold older ones.
    static func version(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var versions: [[Int]] = []
        var (window, offset) = ([UInt8](), 0)
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        while offset < searched, case let count = pread(descriptor, &bytes, bytes.count, offset), count > 0 {
            offset += count
            window += bytes[..<count]
            versions += self.versions(in: window)
            window = Array(window.suffix(64))
        }
        let newest = versions.max { $0.lexicographicallyPrecedes($1) }
        return newest.map { $0.map(String.init).joined(separator: ".") }
    }

    private static func versions(in bytes: [UInt8]) -> [[Int]] {
        let key = Array("clusterVersion".utf8)
        var found: [[Int]] = []
        var index = 0
        while index + key.count < bytes.count {
            guard bytes[index] == key[0], bytes[index..<index + key.count].elementsEqual(key) else {
                index += 1
                continue
            }
            index += key.count
            let text = bytes[index...].prefix { $0 == UInt8(ascii: ".") || (48...57).contains($0) }
            let numbers = String(decoding: text, as: UTF8.self).split(separator: ".").compactMap { Int($0) }
            if numbers.count == 3 { found.append(numbers) }
        }
        return found
    }
}
