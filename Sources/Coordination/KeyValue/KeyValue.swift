/// One version of a key. (etcd's `mvccpb.KeyValue`.)
public struct KeyValue: Hashable, Sendable {
    public var key: [UInt8]
    public var value: [UInt8]
    public var createRevision: Int64
    public var modRevision: Int64
    /// 1 for the put that created the key, one more for each put since.
    public var version: Int64
    /// 0 when no lease is attached.
    public var lease: Int64

    public init(
        key: [UInt8], value: [UInt8] = [], createRevision: Int64 = 0, modRevision: Int64 = 0,
        version: Int64 = 0,
        lease: Int64 = 0
    ) {
        self.key = key
        self.value = value
        self.createRevision = createRevision
        self.modRevision = modRevision
        self.version = version
        self.lease = lease
    }
}

/// A change in the history of the ledger, of whichever family.
public struct KeyValueEvent: Hashable, Sendable {
    public enum Kind: UInt8, Sendable { case put, delete }
    public var space: SpaceID
    public var kind: Kind
    /// Of a delete only `key` and `modRevision` are set.
    public var keyValue: KeyValue
    /// Filled in only for those who asked for it, and only of the key-value space.
    public var previous: KeyValue?

    public init(
        kind: Kind, keyValue: KeyValue, previous: KeyValue? = nil, of space: SpaceID = .keyValue
    ) {
        self.space = space
        self.kind = kind
        self.keyValue = keyValue
        self.previous = previous
    }
}

public struct RangeQuery: Hashable, Sendable {
    public enum Order: Sendable { case none, ascending, descending }
    public enum Target: Sendable { case key, version, createRevision, modRevision, value }

    public var range: KeyRange
    /// 0: no limit.
    public var limit: Int64 = 0
    /// 0 or less: the latest.
    public var revision: Int64 = 0
    public var order = Order.none
    public var target = Target.key
    public var keysOnly = false
    public var countOnly = false
    /// 0: no bound.
    public var minModRevision: Int64 = 0
    public var maxModRevision: Int64 = 0
    public var minCreateRevision: Int64 = 0
    public var maxCreateRevision: Int64 = 0

    public init(range: KeyRange) { self.range = range }
}

public struct RangeResult: Hashable, Sendable {
    public var keyValues: [KeyValue] = []
    /// Whether a limit cut the result.
    public var more = false
    /// All keys in the range, whatever the limit.
    public var count: Int64 = 0
    /// The store's revision when the range was read.
    public var revision: Int64 = 0

    public init() {}
}

public struct Compare: Hashable, Sendable {
    public enum Relation: UInt8, Sendable { case equal, greater, less, notEqual }
    public enum Operand: Hashable, Sendable {
        case version(Int64)
        case createRevision(Int64)
        case modRevision(Int64)
        case value([UInt8])
        case lease(Int64)
    }
    public var range: KeyRange
    public var relation: Relation
    public var operand: Operand

    public init(range: KeyRange, relation: Relation, operand: Operand) {
        self.range = range
        self.relation = relation
        self.operand = operand
    }
}

public struct PutOperation: Hashable, Sendable {
    public var key: [UInt8]
    public var value: [UInt8]
    public var lease: Int64 = 0
    public var previousKeyValue = false
    public var ignoreValue = false
    public var ignoreLease = false

    public init(key: [UInt8], value: [UInt8]) {
        self.key = key
        self.value = value
    }
}

public struct DeleteOperation: Hashable, Sendable {
    public var range: KeyRange
    public var previousKeyValue = false

    public init(range: KeyRange) { self.range = range }
}

public struct KeyValueTransaction: Hashable, Sendable {
    public var compares: [Compare] = []
    public var success: [Operation] = []
    public var failure: [Operation] = []

    public indirect enum Operation: Hashable, Sendable {
        case range(RangeQuery)
        case put(PutOperation)
        case delete(DeleteOperation)
        case transaction(KeyValueTransaction)
    }

    public init() {}
}

/// A command of the key-value space.
public enum KeyValueCommand: SpaceCommand {
    case put(PutOperation)
    case delete(DeleteOperation)
    case transaction(KeyValueTransaction)
    case compact(revision: Int64)

    public var takesRoom: Bool {
        switch self {
        case .put: true
        case .transaction(let transaction): transaction.mayPut
        case .delete, .compact: false
        }
    }
}

/// What a key-value command did, or why it did nothing.
public enum KeyValueOutcome: SpaceOutcome, Hashable {
    case put(previous: KeyValue?, revision: Int64)
    case deleted(count: Int64, previous: [KeyValue], revision: Int64)
    case transaction(KeyValueTransactionOutcome, revision: Int64)
    case compacted(revision: Int64)
    case refused(KeyValueRefusal, revision: Int64)

    public init(refused refusal: LedgerRefusal, revision: Int64) {
        self = .refused(.ledger(refusal), revision: revision)
    }

    public var operation: String? {
        switch self {
        case .put: "puts_total"
        case .deleted: "deletes_total"
        case .transaction: "transactions_total"
        case .compacted, .refused: nil
        }
    }
}

/// Revisions in answers are the store's right after that operation. (In etcd the header of a nested
/// transaction is empty.)
public struct KeyValueTransactionOutcome: Hashable, Sendable {
    public var succeeded: Bool
    public var answers: [Answer]

    public indirect enum Answer: Hashable, Sendable {
        case range(RangeResult)
        case put(previous: KeyValue?, revision: Int64)
        case deleted(count: Int64, previous: [KeyValue], revision: Int64)
        case transaction(KeyValueTransactionOutcome, revision: Int64)
    }

    public init(succeeded: Bool, answers: [Answer]) {
        self.succeeded = succeeded
        self.answers = answers
    }
}

public enum KeyValueRefusal: Error, Hashable, Sendable {
    case compacted, futureRevision, keyNotFound, valueProvided, leaseProvided
    case duplicateKey, tooManyOperations, emptyKey, unknownCommand
    /// Of the ledger.
    case ledger(LedgerRefusal)

    public static var leaseNotFound: KeyValueRefusal { .ledger(.leaseNotFound) }
    public static var noSpace: KeyValueRefusal { .ledger(.noSpace) }
    public static var corrupt: KeyValueRefusal { .ledger(.corrupt) }
}
