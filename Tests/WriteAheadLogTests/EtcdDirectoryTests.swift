import Foundation
import Testing

@testable import WriteAheadLog

@Suite struct EtcdDirectoryTests {
    private let path = NSTemporaryDirectory() + "synod-etcd-\(UUID().uuidString)"

    private func write(_ bytes: [UInt8], to name: String) throws {
        let file = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    private func complaint(log: String? = nil) -> String? {
        do throws(DataDirectoryError) {
            try EtcdDirectory.refuse(data: path, log: log)
            return nil
        } catch {
            #expect(error.code == .foreign)
            return error.message
        }
    }

    @Test("the data of an etcd is refused with what was found, its version, and the way across")
    func refused() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(complaint() == nil)
        try write([1], to: "member/wal/0000000000000000-0000000000000000.wal")
        #expect(complaint()?.contains("(member/wal)") == true)
        // An older version lies in a page that is free, and the newer one across the border of two reads.
        var store = [UInt8](repeating: 0, count: 1 << 20)
        store.replaceSubrange(100..<119, with: Array("clusterVersion3.4.0".utf8))
        store.replaceSubrange((1 << 20) - 8..<(1 << 20), with: Array("clusterV".utf8))
        store += Array("ersion3.10.0".utf8) + [0]
        try write(store, to: "member/snap/db")
        let message = try #require(complaint())
        #expect(message.contains("whose cluster has version 3.10.0 (member/wal, member/snap/db)"))
        #expect(message.contains("make-mirror"))
        #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: "\(path)/member/wal") }
        #expect(complaint() != nil, "the log of an etcd may lie elsewhere")
    }

    @Test("what is no etcd's, and what one of ours has used before, is not refused")
    func accepted() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try write([1], to: "member/other")
        #expect(complaint() == nil)
        try write([1], to: "member/wal/0.wal")
        try write([1], to: DataDirectory.identityName)
        #expect(complaint() == nil)
    }

    @Test("the log of an etcd is refused as the directory of a log")
    func logs() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try write([1], to: "w/0000000000000000-0000000000000000.wal")
        #expect(complaint(log: "\(path)/w")?.contains("is the log of an etcd") == true)
        #expect(complaint(log: "\(path)/none") == nil)
        try write([1], to: "ours/0000000000000000.wal")
        #expect(complaint(log: "\(path)/ours") == nil)
    }
}
