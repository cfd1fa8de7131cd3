import Coordination
import Glibc
import Synchronization
import Testing

@testable import LMDBStore

/// Runs `body` on a thread of its own.
final class TestThread: @unchecked Sendable {
    private let body: @Sendable () throws -> Void
    private var thread = pthread_t()
    private var error: (any Error)?

    init(_ body: @escaping @Sendable () throws -> Void) {
        self.body = body
        pthread_create(
            &thread, nil,
            { context in
                let me = Unmanaged<TestThread>.fromOpaque(context!).takeRetainedValue()
                do { try me.body() } catch { me.error = error }
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
    }

    func join() throws {
        pthread_join(thread, nil)
        if let error { throw error }
    }
}

@Suite struct ConcurrencyTests {
    let directory = TestDirectory()

    private static func key(_ number: Int) -> [UInt8] { [UInt8(number / 256), UInt8(number % 256)] }

    @Test("readers always see whole transactions while one writes, points are made and the file is rewritten")
    func readersAndWriter() throws {
        let store = try LMDBStore.open(directory.store)
        let count = 60
        // All keys always have the same value, which only grows.
        @Sendable func round(_ number: UInt8) throws {
            try store.write { transaction in
                for key in 0..<count {
                    try transaction.put([number], for: Self.key(key), in: .index)
                    if key % 20 == 0 {
                        let long = [UInt8](repeating: UInt8(key), count: 600)
                        try transaction.put([number], for: long, in: .index)
                    }
                }
            }
        }
        try round(0)
        let watch = Watch()
        var threads: [TestThread] = []
        for reader in 0..<3 {
            threads.append(
                TestThread {
                    var last: UInt8 = 0
                    while !watch.isDone.load(ordering: .relaxed) {
                        let values: Set<UInt8>
                        if reader == 0 {
                            let view = try store.openView()
                            values = Set(try contents(view, .index).map { $0.value[0] })
                            view.close()
                        } else {
                            values = try store.read { Set(try contents($0, .index).map { $0.value[0] }) }
                        }
                        if values.count != 1 || values.first! < last {
                            watch.inconsistencies.add(1, ordering: .relaxed)
                        }
                        last = values.first ?? last
                        watch.reads.add(1, ordering: .relaxed)
                        _ = store.size
                    }
                })
        }
        threads.append(
            TestThread { while !watch.isDone.load(ordering: .relaxed) { try store.synchronize() } })
        for number in 1..<UInt8(120) { try round(number) }
        watch.isDone.store(true, ordering: .relaxed)
        for thread in threads { try thread.join() }
        #expect(watch.inconsistencies.load(ordering: .relaxed) == 0)
        #expect(watch.reads.load(ordering: .relaxed) > 0)
        #expect(try store.read { try contents($0, .index).count } == count + 3)
    }

    @Test("readers see whole transactions while what is new goes to the data file in many pieces")
    func readersWhileWritingOut() throws {
        let store = try LMDBStore.open(directory.store)
        let count = 5_000
        @Sendable func key(_ number: Int) -> [UInt8] { Self.key(number) + [1] }
        @Sendable func round(_ number: UInt8) throws {
            try store.write { transaction in
                for number in 0..<count where number % 3 == 0 {
                    try transaction.remove(key(number), in: .index)
                }
                for index in 0..<count where index % 3 != 0 || number % 2 == 0 {
                    try transaction.put([number], for: key(index), in: .index)
                }
            }
        }
        try round(0)
        let watch = Watch()
        var threads: [TestThread] = []
        for _ in 0..<2 {
            threads.append(
                TestThread {
                    var last: UInt8 = 0
                    while !watch.isDone.load(ordering: .relaxed) {
                        let found = try store.read { try contents($0, .index) }
                        let values = Set(found.map { $0.value[0] })
                        let wanted = values.first.map { $0 % 2 == 0 ? count : count - (count + 2) / 3 }
                        if values.count != 1 || values.first! < last || found.count != wanted {
                            watch.inconsistencies.add(1, ordering: .relaxed)
                        }
                        last = values.first ?? last
                        watch.reads.add(1, ordering: .relaxed)
                    }
                })
        }
        threads.append(
            TestThread { while !watch.isDone.load(ordering: .relaxed) { try store.synchronize() } })
        for number in 1..<UInt8(30) { try round(number) }
        watch.isDone.store(true, ordering: .relaxed)
        for thread in threads { try thread.join() }
        #expect(watch.inconsistencies.load(ordering: .relaxed) == 0)
        #expect(watch.reads.load(ordering: .relaxed) > 0)
    }

    @Test(
        "a view of the file is not joined to layers that were looked at before later ones were on their way to it"
    )
    func lateView() throws {
        let store = try LMDBStore.open(directory.store)
        try store.write { try $0.put([1], for: [1], in: .index) }
        let look = store.look()
        // What the look has may go to the file, and only that.
        let first = store.seal()
        try store.writeOut(first)
        let stale = store.look()
        try store.write { try $0.put([2], for: [1], in: .index) }
        #expect(try store.view(of: look) == nil)
        let view = try #require(try store.view(of: stale))
        #expect(try view.value(of: [1], in: .index) == [1])
        store.giveBack(view)
        try store.synchronize()
        #expect(try store.view(of: stale) == nil)
        #expect(try store.read { try $0.value(of: [1], in: .index) } == [2])
    }

    private final class Watch: Sendable {
        let isDone = Atomic<Bool>(false)
        let inconsistencies = Atomic<Int>(0)
        let reads = Atomic<Int>(0)
    }
}
