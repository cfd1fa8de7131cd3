// A transaction runs in three steps. First all compares, those of nested transactions included, are evaluated
// on the state before it, which fixes the branches. Then what could refuse the operations of those branches
// is checked. Only then are they executed, in order, each seeing what those before it wrote.

extension KeyValueTransaction {
    /// Throws `KeyValueRefusal` before anything is written.
    func execute(by writer: inout VersionWriter, in turn: inout Turn) throws -> KeyValueTransactionOutcome {
        // A dialect has said so before; what reached the log otherwise must not take effect either.
        if let refusal = refusal(maximumOperations: .max) { throw refusal }
        var branches: [Bool] = []
        try chooseBranches(in: turn.reader, into: &branches)
        var position = 0
        try checkPuts(in: turn.reader, branches: branches, position: &position)
        position = 0
        try checkRanges(in: turn.reader, branches: branches, position: &position)
        position = 0
        return try run(by: &writer, in: &turn, branches: branches, position: &position)
    }

    /// The same for a transaction that only reads, with the answers that `range` and `nested` make. Throws
    /// `KeyValueRefusal`, `.unknownCommand` when it would write after all.
    func read<Answer>(
        in reader: KeyValueReader, range: (RangeQuery) throws -> Answer,
        nested: (_ succeeded: Bool, [Answer], _ revision: Int64) throws -> Answer
    ) throws -> (succeeded: Bool, answers: [Answer]) {
        var branches: [Bool] = []
        try chooseBranches(in: reader, into: &branches)
        var position = 0
        try checkRanges(in: reader, branches: branches, position: &position)
        position = 0
        return try readChosen(
            in: reader, branches: branches, position: &position, range: range, nested: nested)
    }

    /// Appends whether this transaction succeeds, then the same of those nested in the branch it takes.
    private func chooseBranches(in reader: KeyValueReader, into branches: inout [Bool]) throws {
        let succeeds = try compares.allSatisfy { try $0.holds(in: reader) }
        branches.append(succeeds)
        for case .transaction(let nested) in succeeds ? success : failure {
            try nested.chooseBranches(in: reader, into: &branches)
        }
    }

    private func chosen(_ branches: [Bool], _ position: inout Int) -> [Operation] {
        defer { position += 1 }
        return branches[position] ? success : failure
    }

    private func checkPuts(in reader: KeyValueReader, branches: [Bool], position: inout Int) throws {
        for operation in chosen(branches, &position) {
            switch operation {
            case .put(let put):
                if put.ignoreValue || put.ignoreLease {
                    let current = try reader.version(of: put.key, at: .max)
                    guard let current, !current.isTombstone else { throw KeyValueRefusal.keyNotFound }
                }
                if put.lease != 0, try reader.ledger.seconds(of: LeaseID(put.lease)) == nil {
                    throw KeyValueRefusal.leaseNotFound
                }
            case .transaction(let nested):
                try nested.checkPuts(in: reader, branches: branches, position: &position)
            case .range, .delete: break
            }
        }
    }

    private func checkRanges(in reader: KeyValueReader, branches: [Bool], position: inout Int) throws {
        for operation in chosen(branches, &position) {
            switch operation {
            case .range(let query) where query.revision != 0:
                if query.revision > (try reader.revision()) { throw KeyValueRefusal.futureRevision }
                if query.revision < (try reader.compactRevision()) { throw KeyValueRefusal.compacted }
            case .transaction(let nested):
                try nested.checkRanges(in: reader, branches: branches, position: &position)
            case .range, .put, .delete: break
            }
        }
    }

    private func run(
        by writer: inout VersionWriter, in turn: inout Turn, branches: [Bool], position: inout Int
    ) throws -> KeyValueTransactionOutcome {
        let succeeded = branches[position]
        var answers: [KeyValueTransactionOutcome.Answer] = []
        for operation in chosen(branches, &position) {
            switch operation {
            case .range(let query): answers.append(.range(try turn.reader.range(query)))
            case .put(let put):
                // What the check found may have been deleted by an operation before this one: the key is then
                // put as if it had had an empty value and no lease.
                let previous = try writer.put(put, requiringPrevious: false, in: &turn)
                answers.append(.put(previous: previous, revision: turn.revision))
            case .delete(let delete):
                let (count, previous) = try writer.delete(delete, in: &turn)
                answers.append(.deleted(count: count, previous: previous, revision: turn.revision))
            case .transaction(let nested):
                let outcome = try nested.run(
                    by: &writer, in: &turn, branches: branches, position: &position)
                answers.append(.transaction(outcome, revision: turn.revision))
            }
        }
        return KeyValueTransactionOutcome(succeeded: succeeded, answers: answers)
    }

    private func readChosen<Answer>(
        in reader: KeyValueReader, branches: [Bool], position: inout Int,
        range: (RangeQuery) throws -> Answer,
        nested: (_ succeeded: Bool, [Answer], _ revision: Int64) throws -> Answer
    ) throws -> (succeeded: Bool, answers: [Answer]) {
        let succeeded = branches[position]
        var answers: [Answer] = []
        for operation in chosen(branches, &position) {
            switch operation {
            case .range(let query): answers.append(try range(query))
            case .transaction(let inner):
                let (succeeded, inside) = try inner.readChosen(
                    in: reader, branches: branches, position: &position, range: range, nested: nested)
                answers.append(try nested(succeeded, inside, try reader.revision()))
            case .put, .delete: throw KeyValueRefusal.unknownCommand
            }
        }
        return (succeeded, answers)
    }
}

extension KeyValueReader {
    /// A transaction whose operations are all ranges. Throws `KeyValueRefusal`, `.unknownCommand` when one is
    /// not, or `StoreError`.
    public func readOnly(_ transaction: KeyValueTransaction) throws -> KeyValueTransactionOutcome {
        let (succeeded, answers) = try transaction.read(
            in: self, range: { KeyValueTransactionOutcome.Answer.range(try range($0)) },
            nested: { succeeded, answers, revision in
                .transaction(
                    KeyValueTransactionOutcome(succeeded: succeeded, answers: answers), revision: revision)
            })
        return KeyValueTransactionOutcome(succeeded: succeeded, answers: answers)
    }
}

extension Compare {
    /// Whether every key in the range satisfies the relation. A range without keys is compared as one key
    /// with all fields zero, except that nothing is true of the value of no key.
    func holds(in reader: KeyValueReader) throws -> Bool {
        guard range.end != nil else {
            guard let version = try reader.version(of: range.key, at: .max), !version.isTombstone else {
                return holdsOfNothing
            }
            return try holds(of: version, in: reader)
        }
        var isEmpty = true
        var walk = try VersionWalk(over: range, at: .max, in: reader.reader, within: reader.allowance)
        while let version = try walk.next() {
            isEmpty = false
            guard try holds(of: version, in: reader) else { return false }
        }
        return isEmpty ? holdsOfNothing : true
    }

    private var holdsOfNothing: Bool {
        switch operand {
        case .version(let number), .createRevision(let number), .modRevision(let number), .lease(let number):
            holds(number: 0, against: number)
        case .value: false
        }
    }

    private func holds(of version: Version, in reader: KeyValueReader) throws -> Bool {
        switch operand {
        case .version(let number): holds(number: version.version, against: number)
        case .createRevision(let number): holds(number: version.createRevision, against: number)
        case .modRevision(let number): holds(number: version.position.revision, against: number)
        case .lease(let number): holds(number: version.lease, against: number)
        case .value(let value):
            try value.withUnsafeBytes { value in
                let stored = try EventRecord.value(of: try reader.record(at: version.position))
                return holds(order: compareBytes(stored, value))
            }
        }
    }

    private func holds(number: Int64, against other: Int64) -> Bool {
        holds(order: number < other ? -1 : number > other ? 1 : 0)
    }

    private func holds(order: Int) -> Bool {
        switch relation {
        case .equal: order == 0
        case .notEqual: order != 0
        case .greater: order > 0
        case .less: order < 0
        }
    }
}
