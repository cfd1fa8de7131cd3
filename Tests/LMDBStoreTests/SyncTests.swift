import Coordination
import Glibc
import Synchronization
import Testing

@testable import LMDBStore

/// What a disk would hold after a loss of power: of each file what it held at its last sync.
private final class SyncedFiles: Sendable {
    private struct State {
        var contents: [String: [UInt8]] = [:]
        var order: [String] = []
        /// Syncs to come that fail, by the end of the file's name, and how.
        var failing: (suffix: String, code: Int32)?
    }
    private let state = Mutex(State())

    var options: LMDBStore.Options {
        var options = LMDBStore.Options()
        options.sync = { [self] descriptor in synchronize(descriptor) }
        return options
    }

    func fail(_ suffix: String?, with code: Int32 = EIO) {
        state.withLock { $0.failing = suffix.map { ($0, code) } }
    }

    var order: [String] { state.withLock { $0.order } }

    private func synchronize(_ descriptor: Int32) -> Int32 {
        var path = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/fd/\(descriptor)", &path, path.count)
        let name = String(decoding: path[..<count], as: UTF8.self)
        return state.withLock { state in
            if let failing = state.failing, name.hasSuffix(failing.suffix) {
                errno = failing.code
                return -1
            }
            state.order.append(String(name.split(separator: "/").last!))
            state.contents[name] = try? readFile(name)
            return 0
        }
    }

    /// The machine loses power: nothing but what was synced is left.
    func losePower() throws {
        for (name, bytes) in state.withLock({ $0.contents }) where access(name, F_OK) == 0 {
            try writeFile(bytes, name)
        }
    }
}

@Suite struct SyncTests {
    let directory = TestDirectory()

    @Test("the data are durable before the point that leads to them")
    func order() throws {
        let files = SyncedFiles()
        let store = try LMDBStore.open(directory.store, options: files.options)
        try store.write { try $0.put([1], for: [2], in: .meta) }
        let before = files.order.count
        try store.synchronize()
        #expect(files.order[before...] == [StoreDirectory.dataName, PointFile.name])
    }

    @Test("a point that a killed process wrote and did not sync is durable before anybody uses the store")
    func killedBeforeSync() throws {
        let files = SyncedFiles()
        do {
            let store = try LMDBStore.open(directory.store, options: files.options)
            try store.write { try $0.put([1], for: [2], in: .meta) }
            try store.synchronize()
            try store.write { try $0.put([3], for: [2], in: .meta) }
            // The process is killed between writing the point and its sync.
            files.fail(PointFile.name)
            #expect(throws: StoreError.self) { try store.synchronize() }
            files.fail(nil)
        }
        let found: [UInt8]?
        do {
            let store = try LMDBStore.open(directory.store, options: files.options)
            found = try store.read { try $0.value(of: [2], in: .meta) }
        }
        #expect(found == [3])
        // Whoever has seen the store may have trimmed the log by it.
        try files.losePower()
        let store = try LMDBStore.open(directory.store, options: files.options)
        #expect(try store.read { try $0.value(of: [2], in: .meta) } == found)
    }

    @Test(
        "after a failed sync no later one passes, and the point can still be read as it was",
        arguments: [(EIO, StoreError.Code.failed), (ENOSPC, .full)])
    func failedSync(code: Int32, expected: StoreError.Code) throws {
        let files = SyncedFiles()
        do {
            let store = try LMDBStore.open(directory.store, options: files.options)
            try store.write { try $0.put([1], for: [2], in: .meta) }
            try store.synchronize()
            try store.write { try $0.put([3], for: [2], in: .meta) }
            files.fail(StoreDirectory.dataName, with: code)
            #expect { try store.synchronize() } throws: { ($0 as? StoreError)?.code == expected }
            files.fail(nil)
            let syncs = files.order.count
            #expect { try store.synchronize() } throws: { ($0 as? StoreError)?.code == expected }
            #expect(files.order.count == syncs, "a second sync would report what the first has lost")
            let point = try store.openPoint()
            #expect(try point.value(of: [2], in: .meta) == [1])
            point.close()
        }
        let store = try LMDBStore.open(directory.store, options: files.options)
        #expect(try store.read { try $0.value(of: [2], in: .meta) } == [1])
    }

    @Test("the point can be read while others write, and stays as it was")
    func openPoint() throws {
        let store = try LMDBStore.open(directory.store)
        for number in 0..<UInt8(100) {
            try store.write { try $0.put([number], for: [number, 1], in: .index) }
        }
        try store.synchronize()
        let point = try store.openPoint()
        for number in 0..<UInt8(100) { try store.write { try $0.put([0], for: [number, 1], in: .index) } }
        #expect(try contents(point, .index).map { $0.value } == (0..<UInt8(100)).map { [$0] })
        point.close()
        try store.synchronize()
        #expect(try contents(store.openPoint(), .index).allSatisfy { $0.value == [0] })
    }
}
