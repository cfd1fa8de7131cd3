import Coordination

/// A command of the key-value space or of the ledger's own, which a client of etcd does not tell apart.
enum TestCommand: Hashable {
    case keyValue(KeyValueCommand)
    case ledger(LedgerCommand)

    var command: Command {
        switch self {
        case .keyValue(let command): command.command
        case .ledger(let command): command.command
        }
    }

    func encoded() -> [UInt8] { command.payload }
}

enum TestOutcome: Hashable {
    case keyValue(KeyValueOutcome)
    case ledger(LedgerOutcome)

    /// Nil for one of another family.
    init?(_ outcome: any SpaceOutcome) {
        switch outcome {
        case let outcome as KeyValueOutcome: self = .keyValue(outcome)
        case let outcome as LedgerOutcome: self = .ledger(outcome)
        default: return nil
        }
    }
}

/// Commands and queries over few keys, so that they often meet.
struct RandomCommands {
    var numbers: SeededNumbers
    private let keys: [[UInt8]] = [
        bytes("a"), bytes("aa"), [97, 0], [97, 0, 0], bytes("b"), bytes("ba"), bytes("c"), [99, 255],
        bytes("d"),
        bytes("e"),
    ]

    init(seed: UInt64) { numbers = SeededNumbers(seed: seed) }

    mutating func command(revision: Int64, compactRevision: Int64) -> TestCommand {
        switch numbers.below(100) {
        case 0..<45: return .keyValue(.put(put()))
        case 45..<57: return .keyValue(.delete(delete()))
        case 57..<82:
            return .keyValue(
                .transaction(transaction(depth: 0, revision: revision, compactRevision: compactRevision)))
        case 82..<88:
            return .ledger(.grantLease(LeaseID(lease()), seconds: numbers.chance(5) ? 9_000_000_001 : 10))
        case 88..<93: return .ledger(.revokeLease(LeaseID(lease())))
        case 93..<96: return .ledger(.expireLeases([LeaseID(lease()), LeaseID(lease())]))
        default: return .keyValue(.compact(revision: near(revision, compactRevision)))
        }
    }

    /// Mostly readable, sometimes too old or too new.
    private mutating func near(_ revision: Int64, _ compactRevision: Int64) -> Int64 {
        switch numbers.below(10) {
        case 0: return revision + 1
        case 1: return compactRevision
        case 2: return compactRevision - 1
        case 3: return revision
        default:
            let oldest = max(compactRevision, 0)
            return oldest + Int64(numbers.below(Int(revision - oldest) + 1))
        }
    }

    mutating func key() -> [UInt8] { numbers.pick(keys) }
    private mutating func lease() -> Int64 { Int64(numbers.below(4)) + 1 }
    private mutating func value() -> [UInt8] { numbers.chance(10) ? [] : [UInt8(numbers.below(4)), 0] }

    mutating func range() -> KeyRange {
        switch numbers.below(10) {
        case 0..<5: KeyRange(key: key())
        case 5..<9: KeyRange(key: key(), end: key())
        default: KeyRange(key: key(), end: [])
        }
    }

    private mutating func put() -> PutOperation {
        var put = PutOperation(key: key(), value: value())
        put.previousKeyValue = numbers.chance(30)
        if numbers.chance(25) { put.lease = lease() }
        if numbers.chance(8) {
            put.ignoreValue = true
            put.value = []
        }
        if numbers.chance(8) {
            put.ignoreLease = true
            put.lease = 0
        }
        return put
    }

    private mutating func delete() -> DeleteOperation {
        var delete = DeleteOperation(range: range())
        delete.previousKeyValue = numbers.chance(40)
        return delete
    }

    mutating func query(revision: Int64, compactRevision: Int64) -> RangeQuery {
        var query = RangeQuery(range: range())
        if numbers.chance(40) { query.revision = near(revision, compactRevision) }
        if numbers.chance(40) { query.limit = Int64(numbers.below(4)) }
        query.order = numbers.pick([.none, .none, .ascending, .descending])
        query.target = numbers.pick([.key, .key, .version, .createRevision, .modRevision, .value])
        query.keysOnly = numbers.chance(20)
        query.countOnly = numbers.chance(10)
        if numbers.chance(10) { query.minModRevision = near(revision, compactRevision) }
        if numbers.chance(10) { query.maxModRevision = near(revision, compactRevision) }
        if numbers.chance(10) { query.minCreateRevision = near(revision, compactRevision) }
        if numbers.chance(10) { query.maxCreateRevision = near(revision, compactRevision) }
        return query
    }

    private mutating func compare(revision: Int64) -> Compare {
        let number = numbers.chance(50) ? Int64(numbers.below(3)) : revision - Int64(numbers.below(5))
        let operand: Compare.Operand =
            switch numbers.below(5) {
            case 0: .version(number)
            case 1: .createRevision(number)
            case 2: .modRevision(number)
            case 3: .value(value())
            default: .lease(lease())
            }
        return Compare(
            range: range(), relation: numbers.pick([.equal, .greater, .less, .notEqual]), operand: operand)
    }

    private mutating func transaction(depth: Int, revision: Int64, compactRevision: Int64)
        -> KeyValueTransaction
    {
        var transaction = KeyValueTransaction()
        transaction.compares = (0..<numbers.below(3)).map { _ in compare(revision: revision) }
        transaction.success = operations(depth, revision, compactRevision)
        transaction.failure = operations(depth, revision, compactRevision)
        return transaction
    }

    private mutating func operations(
        _ depth: Int, _ revision: Int64, _ compactRevision: Int64
    ) -> [KeyValueTransaction.Operation] {
        (0..<numbers.below(4)).map { _ in
            switch numbers.below(10) {
            case 0..<3: return .range(query(revision: revision, compactRevision: compactRevision))
            case 3..<7: return .put(put())
            case 7..<8: return .delete(delete())
            default:
                guard depth < 2 else { return .put(put()) }
                return .transaction(
                    transaction(depth: depth + 1, revision: revision, compactRevision: compactRevision))
            }
        }
    }
}
