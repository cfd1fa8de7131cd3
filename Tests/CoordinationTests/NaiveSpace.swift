import Coordination

/// The key-value space as one would write it down first: a list of all events, from which every state is
/// computed by replay. What the real one is compared with.
struct NaiveSpace {
    private(set) var revision: Int64 = 1
    private(set) var compactRevision: Int64 = -1
    private(set) var log: [KeyValueEvent] = []
    private(set) var current: [[UInt8]: KeyValue] = [:]
    private(set) var leases: [Int64: Int64] = [:]
    private var sub = 0

    func state(at revision: Int64) -> [[UInt8]: KeyValue] {
        guard revision < self.revision else { return current }
        var state: [[UInt8]: KeyValue] = [:]
        for event in log.prefix(while: { $0.keyValue.modRevision <= revision }) {
            state[event.keyValue.key] = event.kind == .put ? event.keyValue : nil
        }
        return state
    }

    mutating func apply(_ command: TestCommand) -> TestOutcome {
        switch command {
        case .keyValue(let command): .keyValue(apply(command))
        case .ledger(let command): .ledger(apply(command))
        }
    }

    private mutating func apply(_ command: LedgerCommand) -> LedgerOutcome {
        switch command {
        case .grantLease(let lease, let seconds):
            if seconds > 9_000_000_000 { return .refused(.leaseTooLong, revision: revision) }
            if leases[lease.rawValue] != nil { return .refused(.leaseExists, revision: revision) }
            leases[lease.rawValue] = seconds
            return .leaseGranted(lease, seconds: seconds, revision: revision)
        case .revokeLease(let lease):
            guard leases[lease.rawValue] != nil else { return .refused(.leaseNotFound, revision: revision) }
            sub = 0
            end(lease.rawValue)
            return .leaseRevoked(revision: revision)
        case .expireLeases(let ended):
            for lease in ended {
                sub = 0
                end(lease.rawValue)
            }
            return .done(revision: revision)
        case .setAlarm, .publishMember: return .done(revision: revision)
        }
    }

    private mutating func apply(_ command: KeyValueCommand) -> KeyValueOutcome {
        sub = 0
        let revisionBefore = revision
        do throws(KeyValueRefusal) {
            return try perform(command)
        } catch {
            precondition(revision == revisionBefore, "a refused command changed something")
            return .refused(error, revision: revision)
        }
    }

    private mutating func perform(_ command: KeyValueCommand) throws(KeyValueRefusal) -> KeyValueOutcome {
        switch command {
        case .put(let put):
            if put.lease != 0, leases[put.lease] == nil { throw .leaseNotFound }
            if put.ignoreValue || put.ignoreLease, current[put.key] == nil { throw .keyNotFound }
            let previous = self.put(put)
            return .put(previous: previous, revision: revision)
        case .delete(let delete):
            let previous = self.delete(delete.range)
            return .deleted(
                count: Int64(previous.count), previous: delete.previousKeyValue ? previous : [],
                revision: revision)
        case .transaction(let transaction):
            if Self.hasDuplicates(transaction.success) || Self.hasDuplicates(transaction.failure) {
                throw .duplicateKey
            }
            let chosen = choose(transaction)
            try checkPuts(chosen)
            try checkRanges(chosen)
            return .transaction(run(chosen), revision: revision)
        case .compact(let target):
            if target <= compactRevision { throw .compacted }
            if target > revision { throw .futureRevision }
            compactRevision = target
            return .compacted(revision: revision)
        }
    }

    func keys(of lease: Int64) -> [[UInt8]] {
        current.values.filter { $0.lease == lease }.map(\.key).sorted { $0.lexicographicallyPrecedes($1) }
    }

    private mutating func end(_ lease: Int64) {
        guard leases.removeValue(forKey: lease) != nil else { return }
        for key in keys(of: lease) { _ = delete(KeyRange(key: key)) }
    }

    private mutating func put(_ put: PutOperation) -> KeyValue? {
        write()
        let previous = current[put.key]
        let pair = KeyValue(
            key: put.key, value: put.ignoreValue ? previous?.value ?? [] : put.value,
            createRevision: previous?.createRevision ?? revision, modRevision: revision,
            version: (previous?.version ?? 0) + 1, lease: put.ignoreLease ? previous?.lease ?? 0 : put.lease)
        current[put.key] = pair
        log.append(KeyValueEvent(kind: .put, keyValue: pair))
        return put.previousKeyValue ? previous : nil
    }

    private mutating func delete(_ range: KeyRange) -> [KeyValue] {
        let deleted = pairs(in: range, of: current)
        for pair in deleted {
            write()
            current[pair.key] = nil
            log.append(KeyValueEvent(kind: .delete, keyValue: KeyValue(key: pair.key, modRevision: revision)))
        }
        return deleted
    }

    private mutating func write() {
        if sub == 0 { revision += 1 }
        sub += 1
    }

    private func pairs(in range: KeyRange, of state: [[UInt8]: KeyValue]) -> [KeyValue] {
        state.values.filter { Self.holds(range, $0.key) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    static func holds(_ range: KeyRange, _ key: [UInt8]) -> Bool {
        guard let end = range.end else { return key == range.key }
        return !key.lexicographicallyPrecedes(range.key)
            && (end.isEmpty || key.lexicographicallyPrecedes(end))
    }

    func range(_ query: RangeQuery) throws(KeyValueRefusal) -> RangeResult {
        if query.revision > revision { throw .futureRevision }
        if query.revision > 0, query.revision < compactRevision { throw .compacted }
        var result = RangeResult()
        result.revision = revision
        var found = pairs(in: query.range, of: query.revision > 0 ? state(at: query.revision) : current)
        result.count = Int64(found.count)
        if query.countOnly { return result }
        let bounds = [
            query.minModRevision, query.maxModRevision, query.minCreateRevision, query.maxCreateRevision,
        ]
        if query.limit > 0, query.order == .none, bounds == [0, 0, 0, 0] {
            found = Array(found.prefix(Int(query.limit) + 1))
        }
        found.removeAll { pair in
            bounds[0] != 0 && pair.modRevision < bounds[0] || bounds[1] != 0 && pair.modRevision > bounds[1]
                || bounds[2] != 0 && pair.createRevision < bounds[2]
                || bounds[3] != 0 && pair.createRevision > bounds[3]
        }
        Self.sort(&found, query)
        if query.limit > 0, found.count > query.limit {
            result.more = true
            found = Array(found.prefix(Int(query.limit)))
        }
        if query.keysOnly {
            found = found.map { pair in
                var pair = pair
                pair.value = []
                return pair
            }
        }
        result.keyValues = found
        return result
    }

    private static func sort(_ pairs: inout [KeyValue], _ query: RangeQuery) {
        var places = Array(pairs.indices)
        let all = pairs
        func isLess(_ a: Int, _ b: Int) -> Bool {
            let (x, y) = (all[a], all[b])
            switch query.target {
            case .key: return x.key.lexicographicallyPrecedes(y.key)
            case .version: return x.version < y.version
            case .createRevision: return x.createRevision < y.createRevision
            case .modRevision: return x.modRevision < y.modRevision
            case .value: return x.value.lexicographicallyPrecedes(y.value)
            }
        }
        places.sort { a, b in
            let descends = query.order == .descending
            if isLess(a, b) { return !descends }
            if isLess(b, a) { return descends }
            return a < b
        }
        pairs = places.map { all[$0] }
    }
}

// Transactions.
extension NaiveSpace {
    /// A transaction whose branch is known.
    private struct Chosen {
        var succeeded: Bool
        var operations: [Step]
    }
    private indirect enum Step {
        case plain(KeyValueTransaction.Operation)
        case nested(Chosen)
    }

    private func choose(_ transaction: KeyValueTransaction) -> Chosen {
        let succeeded = transaction.compares.allSatisfy(holds)
        let steps = (succeeded ? transaction.success : transaction.failure).map { operation in
            if case .transaction(let nested) = operation { return Step.nested(choose(nested)) }
            return .plain(operation)
        }
        return Chosen(succeeded: succeeded, operations: steps)
    }

    private func checkPuts(_ chosen: Chosen) throws(KeyValueRefusal) {
        for step in chosen.operations {
            if case .nested(let nested) = step { try checkPuts(nested) }
            guard case .plain(.put(let put)) = step else { continue }
            if put.ignoreValue || put.ignoreLease, current[put.key] == nil { throw .keyNotFound }
            if put.lease != 0, leases[put.lease] == nil { throw .leaseNotFound }
        }
    }

    private func checkRanges(_ chosen: Chosen) throws(KeyValueRefusal) {
        for step in chosen.operations {
            if case .nested(let nested) = step { try checkRanges(nested) }
            guard case .plain(.range(let query)) = step, query.revision != 0 else { continue }
            if query.revision > revision { throw .futureRevision }
            if query.revision < compactRevision { throw .compacted }
        }
    }

    private mutating func run(_ chosen: Chosen) -> KeyValueTransactionOutcome {
        var answers: [KeyValueTransactionOutcome.Answer] = []
        for step in chosen.operations {
            switch step {
            case .nested(let nested): answers.append(.transaction(run(nested), revision: revision))
            case .plain(.range(let query)):
                guard let result = try? range(query) else { preconditionFailure("unchecked \(query)") }
                answers.append(.range(result))
            case .plain(.put(let put)): answers.append(.put(previous: self.put(put), revision: revision))
            case .plain(.delete(let delete)):
                let deleted = self.delete(delete.range)
                answers.append(
                    .deleted(
                        count: Int64(deleted.count), previous: delete.previousKeyValue ? deleted : [],
                        revision: revision))
            case .plain(.transaction): preconditionFailure("not chosen")
            }
        }
        return KeyValueTransactionOutcome(succeeded: chosen.succeeded, answers: answers)
    }

    private func holds(_ compare: Compare) -> Bool {
        let found = pairs(in: compare.range, of: current)
        if found.isEmpty {
            if case .value = compare.operand { return false }
            return holds(compare, KeyValue(key: []))
        }
        return found.allSatisfy { holds(compare, $0) }
    }

    private func holds(_ compare: Compare, _ pair: KeyValue) -> Bool {
        let (isLess, isEqual): (Bool, Bool) =
            switch compare.operand {
            case .version(let number): (pair.version < number, pair.version == number)
            case .createRevision(let number): (pair.createRevision < number, pair.createRevision == number)
            case .modRevision(let number): (pair.modRevision < number, pair.modRevision == number)
            case .lease(let number): (pair.lease < number, pair.lease == number)
            case .value(let value): (pair.value.lexicographicallyPrecedes(value), pair.value == value)
            }
        return switch compare.relation {
        case .equal: isEqual
        case .notEqual: !isEqual
        case .less: isLess
        case .greater: !isLess && !isEqual
        }
    }

    /// Whether some execution of the operations could put a key twice or put what it deletes. A deletion of
    /// everything from a key on does not count, nor one in a nested transaction after the put.
    static func hasDuplicates(_ operations: [KeyValueTransaction.Operation]) -> Bool {
        footprint(operations) == nil
    }

    private static func footprint(
        _ operations: [KeyValueTransaction.Operation]
    ) -> (puts: Set<[UInt8]>, deletions: [KeyRange])? {
        var puts: Set<[UInt8]> = []
        var deletions: [KeyRange] = []
        func collides(_ key: [UInt8]) -> Bool {
            puts.contains(key) || deletions.contains { $0.end != [] && holds($0, key) }
        }
        for case .delete(let delete) in operations { deletions.append(delete.range) }
        for case .transaction(let nested) in operations {
            guard let then = footprint(nested.success), let otherwise = footprint(nested.failure) else {
                return nil
            }
            let both = then.puts.union(otherwise.puts)
            if both.contains(where: collides) { return nil }
            puts.formUnion(both)
            deletions += then.deletions + otherwise.deletions
        }
        for case .put(let put) in operations {
            if collides(put.key) { return nil }
            puts.insert(put.key)
        }
        return (puts, deletions)
    }
}
