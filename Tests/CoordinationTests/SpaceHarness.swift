import Coordination
import Testing

/// A ledger on a store in memory, as a host runs it: one transaction for each command, and the value from
/// before when the transaction fails.
final class SpaceHarness {
    let store: MemoryStore
    private(set) var ledger: Ledger
    /// Those of the last command.
    private(set) var events: [KeyValueEvent] = []
    private(set) var allEvents: [KeyValueEvent] = []

    init(store: MemoryStore = MemoryStore(), families: [any Space.Type] = Ledger.families) throws {
        self.store = store
        ledger = try store.read { try Ledger(families, from: $0) }
    }

    @discardableResult
    func apply(_ command: KeyValueCommand) throws -> KeyValueOutcome {
        try #require(try apply(command.command) as? KeyValueOutcome)
    }

    @discardableResult
    func apply(_ command: LedgerCommand) throws -> LedgerOutcome {
        try #require(try apply(command.command) as? LedgerOutcome)
    }

    @discardableResult
    func apply(_ command: TestCommand) throws -> TestOutcome {
        try #require(TestOutcome(try apply(command.command)))
    }

    @discardableResult
    func apply(_ command: Command) throws -> any SpaceOutcome {
        var next = ledger
        var consequences = Consequences()
        let outcome = try store.write { try next.apply(command, in: $0, into: &consequences) }
        ledger = next
        events = consequences.events
        allEvents += events
        return outcome
    }

    @discardableResult
    func put(_ key: String, _ value: String = "", lease: Int64 = 0) throws -> KeyValueOutcome {
        var put = PutOperation(key: bytes(key), value: bytes(value))
        put.lease = lease
        return try apply(.put(put))
    }

    @discardableResult
    func delete(_ key: String, _ end: String? = nil) throws -> KeyValueOutcome {
        try apply(.delete(DeleteOperation(range: keys(key, end))))
    }

    func read<R>(_ body: (KeyValueReader) throws -> R) throws -> R {
        try store.read { try body(KeyValueReader($0)) }
    }

    func range(_ query: RangeQuery) throws -> RangeResult { try read { try $0.range(query) } }

    /// `key=value@modRevision` of a range.
    func list(_ key: String, _ end: String? = nil, at revision: Int64 = 0) throws -> [String] {
        var query = RangeQuery(range: keys(key, end))
        query.revision = revision
        return try range(query).keyValues.map(text)
    }

    func removeCompacted(limit: Int) throws -> Bool {
        var removed = 0
        return try store.write { try ledger.removeCompacted(limit: limit, in: $0, removed: &removed) }
    }

    func removeAllCompacted(limit: Int = 1000) throws {
        while try removeCompacted(limit: limit) {}
    }

    /// How many versions the store holds.
    func storedVersions() throws -> Int {
        try store.read { reader in
            let cursor = try reader.cursor(in: .history)
            var count = 0
            var stands = try cursor.seekToFirst()
            while stands {
                count += 1
                stands = try cursor.next()
            }
            return count
        }
    }

    /// Every entry of every table.
    func dump() throws -> [[UInt8]] {
        try store.read { reader in
            var entries: [[UInt8]] = []
            for table in StoreTable.allCases {
                let cursor = try reader.cursor(in: table)
                var stands = try cursor.seekToFirst()
                while stands {
                    entries.append([table.rawValue] + cursor.key + [0, 0] + cursor.value)
                    stands = try cursor.next()
                }
            }
            return entries
        }
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

func text(_ keyValue: KeyValue) -> String {
    "\(text(keyValue.key))=\(text(keyValue.value))@\(keyValue.modRevision)"
}

/// `end` "" stands for everything from the key on.
func keys(_ key: String, _ end: String? = nil) -> KeyRange {
    KeyRange(key: bytes(key), end: end.map { bytes($0) })
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct SeededNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}

extension SpaceHarness {
    /// What the plan of a range comes to.
    func planned(_ query: RangeQuery) throws -> RangeResult {
        try read { reader in
            let plan = try reader.plan(query)
            var result = RangeResult()
            (result.more, result.count, result.revision) = (plan.more, plan.total, plan.revision)
            for index in 0..<plan.count {
                try plan.withPair(at: index) { pair in
                    result.keyValues.append(
                        KeyValue(
                            key: [UInt8](pair.key), value: [UInt8](pair.value),
                            createRevision: pair.createRevision, modRevision: pair.modRevision,
                            version: pair.version, lease: pair.lease))
                }
            }
            return result
        }
    }
}
