import Coordination
import Glibc
import Testing

@testable import LMDBStore

@Suite struct DurablePointTests {
    let directory = TestDirectory()
    private var data: String { "\(directory.store)/\(StoreDirectory.dataName)" }
    private var point: String { "\(directory.store)/\(PointFile.name)" }

    /// Changes every table at random: short and long keys, small and large values, removals.
    private func churn(_ store: LMDBStore, _ random: inout SeededRandom, transactions: Int) throws {
        for _ in 0..<transactions {
            try store.write { transaction in
                for _ in 0..<Int.random(in: 1...30, using: &random) {
                    let table = StoreTable.allCases[Int.random(in: 0..<5, using: &random)]
                    let number = UInt8.random(in: 0...255, using: &random)
                    let key = [UInt8](
                        repeating: number, count: Int.random(in: 0..<20, using: &random) == 0 ? 700 : 9)
                    if Int.random(in: 0..<3, using: &random) == 0 {
                        try transaction.remove(key, in: table)
                    } else {
                        let count = Int.random(in: 0..<15, using: &random) == 0 ? 9000 : 60
                        try transaction.put(
                            [UInt8](repeating: number &+ 1, count: count), for: key, in: table)
                    }
                }
            }
        }
    }

    @Test("a store that was not closed opens as it was last synchronised")
    func forgetsWhatWasNotSynchronised() throws {
        var random = SeededRandom(state: 1)
        var expected: [[[UInt8]]] = StoreTable.allCases.map { _ in [] }
        for _ in 0..<12 {
            let store = try LMDBStore.open(directory.store)
            #expect(try image(store) == expected)
            try churn(store, &random, transactions: 4)
            try store.synchronize()
            expected = try image(store)
            try churn(store, &random, transactions: 6)
            #expect(try image(store) != expected)
        }
    }

    @Test("what went to the data file and was not made the point is forgotten, and memory with it")
    func writtenOutAndNotSynchronised() throws {
        var random = SeededRandom(state: 3)
        var expected: [[[UInt8]]] = StoreTable.allCases.map { _ in [] }
        for _ in 0..<6 {
            let store = try LMDBStore.open(directory.store)
            #expect(try image(store) == expected)
            try churn(store, &random, transactions: 8)
            try store.synchronize()
            expected = try image(store)
            try churn(store, &random, transactions: 8)
            let sealed = store.seal()
            try churn(store, &random, transactions: 3)
            let before = try image(store)
            try store.writeOut(sealed)
            #expect(try image(store) == before)
        }
    }

    @Test("closing synchronises")
    func close() throws {
        do {
            let store = try LMDBStore.open(directory.store)
            try store.write { try $0.put([1], for: [2], in: .meta) }
            store.close()
        }
        #expect(try image(LMDBStore.open(directory.store))[0] == [[2], [1]])
    }

    @Test("after a loss of power that kept any mixture of pages the store is as it was last synchronised")
    func anyMixtureOfPages() throws {
        var random = SeededRandom(state: 7)
        var expected: [[[UInt8]]] = StoreTable.allCases.map { _ in [] }
        for round in 0..<60 {
            let synced: [UInt8]
            let later: [UInt8]
            do {
                let store = try LMDBStore.open(directory.store)
                #expect(try image(store) == expected, "round \(round)")
                try churn(store, &random, transactions: 10)
                try store.synchronize()
                synced = try readFile(data)
                expected = try image(store)
                try churn(store, &random, transactions: Int.random(in: 1...40, using: &random))
                later = try readFile(data)
            }
            // Of every page the disk has the synced or the later version, or one torn between sectors.
            var mixture = synced
            for page in 0..<later.count / 4096 {
                let range = page * 4096..<(page + 1) * 4096
                if range.upperBound > synced.count {
                    guard Int.random(in: 0..<4, using: &random) > 0 else { break }
                    mixture += (0..<4096).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                } else if Bool.random(using: &random) {
                    let start = range.lowerBound + 512 * Int.random(in: 0..<8, using: &random)
                    mixture.replaceSubrange(start..<range.upperBound, with: later[start..<range.upperBound])
                }
            }
            try writeFile(mixture, data)
        }
    }

    @Test("a point that was written in part leaves the one before")
    func tornPoint() throws {
        var random = SeededRandom(state: 3)
        let store = try LMDBStore.open(directory.store)
        try churn(store, &random, transactions: 5)
        try store.synchronize()
        let expected = try image(store)
        let dataBefore = try readFile(data)
        let before = try readFile(point)
        try churn(store, &random, transactions: 1)
        try store.synchronize()
        let after = try readFile(point)
        for torn in [1, 100, 512, 4000] {
            // The second point went to one of the two slots; the disk has only its first `torn` bytes.
            let slot = before[..<4096] == after[..<4096] ? 4096 : 0
            var bytes = before
            bytes.replaceSubrange(slot..<slot + torn, with: after[slot..<slot + torn])
            let copy = TestDirectory()
            mkdir(copy.store, 0o700)
            try writeFile(bytes, "\(copy.store)/\(PointFile.name)")
            try writeFile(dataBefore, "\(copy.store)/\(StoreDirectory.dataName)")
            #expect(try image(LMDBStore.open(copy.store)) == expected)
        }
    }

    @Test("a store without a readable point, or with a data file cut short, is refused")
    func refused() throws {
        do {
            let store = try LMDBStore.open(directory.store)
            var random = SeededRandom(state: 5)
            try churn(store, &random, transactions: 20)
            store.close()
        }
        let whole = try readFile(data)
        try writeFile(Array(whole[..<(whole.count / 2)]), data)
        #expect { try LMDBStore.open(directory.store) } throws: { ($0 as? StoreError)?.code == .damaged }
        // Anything of the same length: nothing is looked for where it says.
        var random = SeededRandom(state: 11)
        for _ in 0..<20 {
            try writeFile(whole.map { _ in UInt8.random(in: 0...255, using: &random) }, data)
            #expect { try LMDBStore.open(directory.store) } throws: { ($0 as? StoreError)?.code == .damaged }
        }
        try writeFile(whole, data)
        _ = try LMDBStore.open(directory.store)
        try writeFile([UInt8](repeating: 1, count: 8192), point)
        #expect { try LMDBStore.open(directory.store) } throws: { ($0 as? StoreError)?.code == .damaged }
    }

    @Test("a store that was being made in a crash is made again, one that was being replaced is found")
    func interrupted() throws {
        mkdir("\(directory.store).new", 0o700)
        try writeFile([1, 2, 3], "\(directory.store).new/\(StoreDirectory.dataName)")
        do {
            let store = try LMDBStore.open(directory.store)
            try store.write { try $0.put([1], for: [2], in: .meta) }
            store.close()
        }
        // The names between the two renamings of a replacement.
        rename(directory.store, "\(directory.store).new")
        do { _ = try LMDBStore.open("\(directory.path)/other") }
        rename("\(directory.path)/other", "\(directory.store).old")
        #expect(try image(LMDBStore.open(directory.store))[0] == [[2], [1]])
        #expect(!StoreDirectory.exists("\(directory.store).old"))
        // Before them.
        mkdir("\(directory.store).new", 0o700)
        #expect(try image(LMDBStore.open(directory.store))[0] == [[2], [1]])
        #expect(!StoreDirectory.exists("\(directory.store).new"))
    }

    @Test("two may not use a store at once")
    func lock() throws {
        let store = try LMDBStore.open(directory.store)
        #expect(throws: StoreError.self) { try LMDBStore.open(directory.store) }
        try store.write { try $0.put([1], for: [2], in: .meta) }
    }

    @Test("the estimate of what a point would cost grows with writes and falls with the point")
    func estimate() throws {
        let store = try LMDBStore.open(directory.store)
        var random = SeededRandom(state: 9)
        #expect(store.bytesWrittenSincePoint == 0)
        try churn(store, &random, transactions: 10)
        #expect(store.bytesWrittenSincePoint > 10 * 4096)
        try store.synchronize()
        #expect(store.bytesWrittenSincePoint == 0)
    }
}

func readFile(_ path: String) throws -> [UInt8] {
    let file = open(path, O_RDONLY)
    guard file >= 0 else { throw StoreError(system: "opening", path) }
    defer { close(file) }
    var status = stat()
    fstat(file, &status)
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    guard pread(file, &bytes, bytes.count, 0) == bytes.count else {
        throw StoreError(system: "reading", path)
    }
    return bytes
}

func writeFile(_ bytes: [UInt8], _ path: String) throws {
    let file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    guard file >= 0 else { throw StoreError(system: "opening", path) }
    defer { close(file) }
    guard pwrite(file, bytes, bytes.count, 0) == bytes.count else {
        throw StoreError(system: "writing", path)
    }
}
