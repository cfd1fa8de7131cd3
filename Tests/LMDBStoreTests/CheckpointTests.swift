import Coordination
import Testing

@testable import LMDBStore

@Suite struct CheckpointTests {
    let directory = TestDirectory()

    private func fill(_ store: any OrderedStore, _ seed: UInt64, entries: Int) throws {
        var random = SeededRandom(state: seed)
        try store.write { transaction in
            for _ in 0..<entries {
                let table = StoreTable.allCases[Int.random(in: 0..<4, using: &random)]
                let length = Int.random(in: 0..<10, using: &random) == 0 ? 1500 : 12
                let key = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
                let count = Int.random(in: 0..<30, using: &random) == 0 ? 40_000 : 30
                try transaction.put([UInt8](repeating: key[0], count: count), for: key, in: table)
            }
        }
    }

    private func stream(_ store: any OrderedStore, chunkBytes: Int = 4096) throws -> [UInt8] {
        let view = try store.openView()
        defer { view.close() }
        let writer = CheckpointWriter(view, chunkBytes: chunkBytes)
        var stream: [UInt8] = []
        while let chunk = try writer.nextChunk() { stream += chunk }
        return stream
    }

    @Test("a checkpoint carries one store's content into the place of another's, in pieces of any size")
    func roundTrip() throws {
        let source = MemoryStore()
        try fill(source, 1, entries: 800)
        let stream = try stream(source)
        for piece in [1 << 20, 5000, 97] {
            let store = try LMDBStore.open(directory.store)
            try fill(store, 2, entries: 50)
            let before = try image(store)
            let view = try store.openView()
            let installer = try CheckpointInstaller(for: directory.store)
            for start in stride(from: 0, to: stream.count, by: piece) {
                try installer.take(Array(stream[start..<min(start + piece, stream.count)]))
            }
            #expect(try image(store) == before)
            do {
                let installed = try installer.install()
                #expect(try image(installed) == image(source))
                // What a view of the replaced store sees stays.
                let seen = try StoreTable.allCases.map { table in
                    try contents(view, table).flatMap { [$0.key, $0.value] }
                }
                #expect(seen == before)
                view.close()
            }
            // Installed means durable.
            do { #expect(try image(LMDBStore.open(directory.store)) == image(source)) }
            StoreDirectory.remove(directory.store)
        }
    }

    @Test("an empty store has a checkpoint too")
    func empty() throws {
        let installer = try CheckpointInstaller(for: directory.store)
        try installer.take(stream(MemoryStore()))
        #expect(try image(installer.install()) == [[], [], [], [], []])
    }

    @Test("what is written while a checkpoint is streamed is not in it")
    func consistent() throws {
        let store = try LMDBStore.open(directory.store)
        try fill(store, 3, entries: 300)
        let before = try image(store)
        let view = try store.openView()
        let writer = CheckpointWriter(view, chunkBytes: 4096)
        let installer = try CheckpointInstaller(for: "\(directory.path)/other")
        var seed: UInt64 = 10
        while let chunk = try writer.nextChunk() {
            try installer.take(chunk)
            try fill(store, seed, entries: 10)
            seed += 1
        }
        view.close()
        #expect(try image(installer.install()) == before)
    }

    @Test("a checkpoint that breaks off, or is changed in any place, is refused and leaves the store alone")
    func damaged() throws {
        let source = MemoryStore()
        try fill(source, 5, entries: 60)
        let stream = try stream(source, chunkBytes: 2000)
        var random = SeededRandom(state: 6)
        for round in 0..<600 {
            var bytes = stream
            switch round % 4 {
            case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            case 1:
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^=
                    1 << UInt8.random(in: 0..<8, using: &random)
            case 2:
                let start = Int.random(in: 0..<bytes.count - 16, using: &random)
                bytes.removeSubrange(start..<start + Int.random(in: 1...16, using: &random))
            default: bytes.append(contentsOf: [UInt8](repeating: 0, count: 16))
            }
            var reader = CheckpointReader()
            #expect(throws: StoreError.self) {
                try bytes.withUnsafeBytes { bytes in
                    var at = 0
                    while at < bytes.count {
                        let end = min(bytes.count, at + Int.random(in: 1...9000, using: &random))
                        try reader.take(UnsafeRawBufferPointer(rebasing: bytes[at..<end])) { _, _, _ in }
                        at = end
                    }
                }
                try reader.finish()
            }
        }
        let store = try LMDBStore.open(directory.store)
        try fill(store, 7, entries: 20)
        let before = try image(store)
        let installer = try CheckpointInstaller(for: directory.store)
        try installer.take(Array(stream[..<(stream.count / 2)]))
        #expect(throws: StoreError.self) { try installer.install() }
        #expect(throws: StoreError.self) { try installer.take(stream) }
        #expect(!StoreDirectory.exists(StoreDirectory.incoming(directory.store)))
        #expect(try image(store) == before)
    }

    @Test("random bytes are no checkpoint")
    func randomBytes() {
        var random = SeededRandom(state: 8)
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0..<3000, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            var reader = CheckpointReader()
            #expect(throws: StoreError.self) {
                try bytes.withUnsafeBytes { try reader.take($0) { _, _, _ in } }
                try reader.finish()
            }
        }
    }

    @Test("right checks do not excuse wrong contents")
    func wellSealedNonsense() throws {
        func sealed(_ payloads: [(CheckpointChunk.Kind, [UInt8])]) -> [UInt8] {
            var previous: UInt32 = 0
            return payloads.flatMap { kind, payload in
                var chunk = [UInt8](repeating: 0, count: CheckpointChunk.headerBytes) + payload
                previous = CheckpointChunk.seal(&chunk, kind: kind, previous: previous)
                return chunk
            }
        }
        var begin: [UInt8] = []
        begin.appendLittle(CheckpointChunk.magic)
        begin.appendLittle(CheckpointChunk.version)
        var end: [UInt8] = []
        end.appendLittle(UInt64(2))
        end.appendLittle(UInt64(4))
        let entry: [UInt8] = [0, 1, 0, 0, 0, 1, 0, 0, 0, 5, 6]
        let next: [UInt8] = [0, 1, 0, 0, 0, 1, 0, 0, 0, 6, 6]
        let good = [(CheckpointChunk.Kind.begin, begin), (.entries, entry + next), (.end, end)]
        func read(_ payloads: [(CheckpointChunk.Kind, [UInt8])]) throws {
            var reader = CheckpointReader()
            try sealed(payloads).withUnsafeBytes { try reader.take($0) { _, _, _ in } }
            try reader.finish()
        }
        try read(good)
        let nonsense: [[UInt8]] = [
            entry + entry, next + entry, entry, [9] + entry.dropFirst(), entry + [1, 2],
            [0, 0, 0, 0, 0, 1, 0, 0, 0, 6], [0, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        ]
        for payload in nonsense {
            #expect(throws: StoreError.self) { try read([good[0], (.entries, payload), good[2]]) }
        }
        #expect(throws: StoreError.self) { try read([good[1], good[2]]) }
        #expect(throws: StoreError.self) { try read([good[0], good[0], good[1], good[2]]) }
        #expect(throws: StoreError.self) { try read([good[0], good[1]]) }
        begin[8] = 2
        #expect(throws: StoreError.self) { try read([(.begin, begin), good[1], good[2]]) }
    }
}
