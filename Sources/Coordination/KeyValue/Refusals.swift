// What can be said against a request without looking into the store, for a dialect to say before it proposes
// anything. The order in which things are found is etcd's.

extension RangeQuery {
    public var refusal: KeyValueRefusal? { range.key.isEmpty ? .emptyKey : nil }
}

extension PutOperation {
    public var refusal: KeyValueRefusal? {
        if key.isEmpty { return .emptyKey }
        if ignoreValue, !value.isEmpty { return .valueProvided }
        if ignoreLease, lease != 0 { return .leaseProvided }
        return nil
    }
}

extension DeleteOperation {
    public var refusal: KeyValueRefusal? { range.key.isEmpty ? .emptyKey : nil }
}

extension KeyValueTransaction {
    /// `maximumOperations` bounds the longest of the three lists; a nested transaction has what is left.
    public func refusal(maximumOperations: Int) -> KeyValueRefusal? {
        refusalOfOperations(remaining: maximumOperations, depth: 1) ?? Self.refusal(of: self)
    }

    /// Whether an operation in any branch, at any depth, writes: if none does, it need not be ordered.
    public var isReadOnly: Bool {
        (success + failure).allSatisfy { operation in
            switch operation {
            case .range: true
            case .put, .delete: false
            case .transaction(let nested): nested.isReadOnly
            }
        }
    }

    /// Whether an operation in any branch, at any depth, puts.
    public var mayPut: Bool {
        (success + failure).contains { operation in
            switch operation {
            case .put: true
            case .range, .delete: false
            case .transaction(let nested): nested.mayPut
            }
        }
    }

    private func refusalOfOperations(remaining: Int, depth: Int) -> KeyValueRefusal? {
        let count = max(compares.count, success.count, failure.count)
        if count > remaining || depth > Self.maximumDepth { return .tooManyOperations }
        if compares.contains(where: { $0.range.key.isEmpty }) { return .emptyKey }
        for operation in [success, failure].joined() {
            let refusal: KeyValueRefusal? =
                switch operation {
                case .range(let query): query.refusal
                case .put(let put): put.refusal
                case .delete(let delete): delete.refusal
                case .transaction(let nested):
                    nested.refusalOfOperations(remaining: remaining - count, depth: depth + 1)
                }
            if let refusal { return refusal }
        }
        return nil
    }

    /// `.duplicateKey` when one execution could put a key twice, or put what it also deletes.
    static func refusal(of transaction: KeyValueTransaction) -> KeyValueRefusal? {
        var footprint = WriteFootprint()
        guard footprint.collect(transaction.success) else { return .duplicateKey }
        footprint = WriteFootprint()
        return footprint.collect(transaction.failure) ? nil : .duplicateKey
    }
}

/// The keys that operations put, and the ranges that they delete.
///
/// As in etcd a deletion of everything from a key on conflicts with nothing, and a deletion in a nested
/// transaction conflicts only with puts that come after it.
struct WriteFootprint {
    /// Ascending.
    private(set) var puts: [[UInt8]] = []
    private var deletions: [KeyRange] = []

    /// False when a key is put twice or put and deleted.
    mutating func collect(_ operations: [KeyValueTransaction.Operation]) -> Bool {
        for case .delete(let delete) in operations { deletions.append(delete.range) }
        for case .transaction(let nested) in operations {
            var then = WriteFootprint()
            var otherwise = WriteFootprint()
            guard then.collect(nested.success), otherwise.collect(nested.failure) else { return false }
            // Only one of the branches runs, so that both may put the same key.
            var added: [[UInt8]] = []
            for key in then.puts {
                if holds(key) || deletes(key) { return false }
                added.append(key)
            }
            for key in otherwise.puts {
                if holds(key) || deletes(key) { return false }
                if !then.holds(key) { added.append(key) }
            }
            puts.append(contentsOf: added)
            puts.sort { compareBytes($0, $1) < 0 }
            deletions.append(contentsOf: then.deletions)
            deletions.append(contentsOf: otherwise.deletions)
        }
        for case .put(let put) in operations {
            let place = place(of: put.key)
            if place < puts.count, puts[place] == put.key { return false }
            if deletes(put.key) { return false }
            puts.insert(put.key, at: place)
        }
        return true
    }

    private func holds(_ key: [UInt8]) -> Bool {
        let place = place(of: key)
        return place < puts.count && puts[place] == key
    }

    private func place(of key: [UInt8]) -> Int {
        var low = 0
        var high = puts.count
        while low < high {
            let middle = (low + high) / 2
            if compareBytes(puts[middle], key) < 0 { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func deletes(_ key: [UInt8]) -> Bool {
        deletions.contains { range in
            switch range.end {
            case nil: range.key == key
            case let end?:
                compareBytes(range.key, key) <= 0 && compareBytes(key, end) < 0
            }
        }
    }
}
