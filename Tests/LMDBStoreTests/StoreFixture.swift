import Coordination
import Glibc

@testable import LMDBStore

/// A directory for one test, deleted when the test lets go of it.
final class TestDirectory {
    let path: String

    init() {
        var template = Array("/tmp/synod-store-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit {
        for store in ["store", "store.new", "store.old", "store.incoming", "other", "other.incoming"] {
            StoreDirectory.remove("\(path)/\(store)")
        }
        StoreDirectory.remove(path)
    }

    var store: String { "\(path)/store" }
}

/// A seeded source of random numbers (SplitMix64), so that a failure comes again.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func comesBefore(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    let order = memcmp(a, b, min(a.count, b.count))
    return order < 0 || order == 0 && a.count < b.count
}

func equal(_ a: UnsafeRawBufferPointer, _ b: [UInt8]) -> Bool {
    a.count == b.count
        && b.withUnsafeBytes { a.isEmpty || memcmp(a.baseAddress!, $0.baseAddress!, a.count) == 0 }
}

/// One table as a sorted array: what the store must agree with.
struct SortedModel {
    private(set) var entries: [(key: [UInt8], value: [UInt8])] = []

    func position(_ key: [UInt8]) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if comesBefore(entries[middle].key, key) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func value(_ key: [UInt8]) -> [UInt8]? {
        let position = position(key)
        return position < entries.count && entries[position].key == key ? entries[position].value : nil
    }

    mutating func put(_ value: [UInt8], for key: [UInt8]) {
        let position = position(key)
        if position < entries.count, entries[position].key == key {
            entries[position].value = value
        } else {
            entries.insert((key, value), at: position)
        }
    }

    mutating func remove(_ key: [UInt8]) -> Bool {
        let position = position(key)
        guard position < entries.count, entries[position].key == key else { return false }
        entries.remove(at: position)
        return true
    }
}

/// Everything in a table, forwards.
func contents(_ reader: any OrderedReader, _ table: StoreTable) throws -> [(key: [UInt8], value: [UInt8])] {
    let cursor = try reader.cursor(in: table)
    var entries: [(key: [UInt8], value: [UInt8])] = []
    var isThere = try cursor.seekToFirst()
    while isThere {
        entries.append(([UInt8](cursor.key), [UInt8](cursor.value)))
        isThere = try cursor.next()
    }
    return entries
}

func same(_ a: [(key: [UInt8], value: [UInt8])], _ b: [(key: [UInt8], value: [UInt8])]) -> Bool {
    a.elementsEqual(b) { $0.key == $1.key && $0.value == $1.value }
}

/// Every table's entries as one value that can be compared.
func image(_ store: any OrderedStore) throws -> [[[UInt8]]] {
    try store.read { reader in
        try StoreTable.allCases.map { try contents(reader, $0).flatMap { [$0.key, $0.value] } }
    }
}
