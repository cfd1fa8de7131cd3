import Coordination
import Glibc
import Testing

@testable import LMDBStore

@Suite struct SizeTests {
    let directory = TestDirectory()

    private func fill(_ store: LMDBStore, _ entries: Int, from first: Int = 0) throws {
        for start in stride(from: first, to: first + entries, by: 500) {
            try store.write { transaction in
                for number in start..<start + 500 {
                    let key = withUnsafeBytes(of: number.bigEndian) { [UInt8]($0) }
                    try transaction.append([UInt8](repeating: 1, count: 200), for: key, in: .history)
                }
            }
        }
    }

    private func removeAll(_ store: LMDBStore) throws {
        try store.write { transaction in
            for entry in try contents(transaction, .history) {
                try transaction.remove(entry.key, in: .history)
            }
        }
    }

    @Test("pages freed by removing are used again")
    func reuse() throws {
        let store = try LMDBStore.open(directory.store)
        try fill(store, 5000)
        try store.synchronize()
        let full = store.size
        #expect(full.total >= 1 << 20 && full.inUse <= full.total)
        #expect(full.inUse >= 5000 * 200)
        try removeAll(store)
        // What a transaction frees can be used once a later one is the point.
        try store.write { try $0.put([1], for: [1], in: .meta) }
        try store.synchronize()
        try store.write { try $0.put([2], for: [1], in: .meta) }
        try store.synchronize()
        let emptied = store.size
        #expect(emptied.inUse < full.inUse / 10)
        #expect(emptied.total >= full.total)
        try fill(store, 2500)
        try store.synchronize()
        #expect(store.size.total < full.total + full.total / 4)
    }

    @Test("what many single writes take is counted at once, and leaves little room to spare in the file")
    func singleWrites() throws {
        let store = try LMDBStore.open(directory.store)
        let empty = store.size
        for number in 0..<500 {
            try store.write { transaction in
                let key = withUnsafeBytes(of: number.bigEndian) { [UInt8]($0) }
                try transaction.append([UInt8](repeating: 1, count: 700), for: key, in: .history)
                try transaction.put([1], for: key, in: .index)
            }
        }
        #expect(store.size.inUse > empty.inUse + 500 * 700)
        #expect(store.size.total < 1 << 20 && store.size.inUse <= store.size.total)
        try store.synchronize()
        #expect(store.size.inUse > empty.inUse + 500 * 700)
        #expect(store.size.total < 1 << 20 && store.spareBytes < 64 << 10)
    }

    @Test("a store that may not have more memory says that it is full, and goes on")
    func mapIsFull() throws {
        var options = LMDBStore.Options()
        options.mapBytes = 1 << 20
        let store = try LMDBStore.open(directory.store, options: options)
        var entries = 0
        #expect {
            while true {
                try fill(store, 500, from: entries)
                entries += 500
            }
        } throws: { ($0 as? StoreError)?.code == .full }
        #expect(entries > 0)
        #expect(try store.read { try contents($0, .history).count } == entries)
        try removeAll(store)
        #expect(try store.read { try contents($0, .history).count } == 0)
    }

    @Test("less address space than asked for is made do with")
    func fewAddresses() throws {
        var options = LMDBStore.Options()
        options.mapBytes = 1 << 60
        let store = try LMDBStore.open(directory.store, options: options)
        try fill(store, 500)
        #expect(try store.read { try contents($0, .history).count } == 500)
    }
}

/// A small file system in memory, which only a privileged process can make.
final class SmallDisk {
    let directory = TestDirectory()

    init?(bytes: Int) {
        guard mount("synod-test", directory.path, "tmpfs", 0, "size=\(bytes)") == 0 else { return nil }
    }

    deinit { umount2(directory.path, Int32(MNT_DETACH)) }

    var ballast: String { "\(directory.path)/ballast" }

    /// Fills the disk to the last page.
    func fill() {
        let file = open(ballast, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(file) }
        let piece = [UInt8](repeating: 1, count: 4096)
        while write(file, piece, piece.count) > 0 {}
    }

    static let isPossible = SmallDisk(bytes: 1 << 20) != nil
}

@Suite(.enabled(if: SmallDisk.isPossible, "needs the right to mount a small file system"))
struct FullDiskTests {
    private func fill(_ store: LMDBStore, _ number: Int) throws {
        try store.write { transaction in
            for part in 0..<20 {
                let key = withUnsafeBytes(of: (number * 100 + part).bigEndian) { [UInt8]($0) }
                try transaction.put([UInt8](repeating: UInt8(part), count: 1000), for: key, in: .index)
            }
        }
    }

    @Test("on a full disk the host is told first; what is there stays, is read and can be removed")
    func full() throws {
        let disk = try #require(SmallDisk(bytes: 24 << 20))
        var options = LMDBStore.Options()
        options.memoryBytes = 1 << 20
        let store = try LMDBStore.open(disk.directory.store, options: options)
        for number in 0..<100 { try fill(store, number) }
        try store.synchronize()
        #expect(!store.isSpaceLow)
        disk.fill()
        var number = 100
        while !store.isSpaceLow {
            try fill(store, number)
            number += 1
        }
        // What was set aside is enough to remove everything, if a point is made now and then.
        var removed = 0
        for first in stride(from: 0, to: number * 20, by: 10) {
            try store.write { transaction in
                for entry in first..<first + 10 {
                    let key = withUnsafeBytes(of: (entry / 20 * 100 + entry % 20).bigEndian) { [UInt8]($0) }
                    if try transaction.remove(key, in: .index) { removed += 1 }
                }
            }
            if first % 200 == 0 { try store.synchronize() }
        }
        #expect(removed == number * 20)
        // A host that does not listen meets the error in the end, and loses nothing.
        number = 0
        #expect {
            while true {
                try fill(store, number)
                number += 1
                try #require(number < 5000)
            }
        } throws: { ($0 as? StoreError)?.code == .full }
        #expect(try store.read { try contents($0, .index).count } == number * 20)
        #expect(store.isSpaceLow)
        unlink(disk.ballast)
        try store.synchronize()
        #expect(!store.isSpaceLow)
        try fill(store, number)
        #expect(try store.read { try contents($0, .index).count } == number * 20 + 20)
    }
}
