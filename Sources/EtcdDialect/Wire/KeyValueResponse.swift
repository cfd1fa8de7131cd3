import Coordination

/// Writes the responses of the service KV.
extension ProtobufWriter {
    mutating func keyValue(_ keyValue: KeyValue, field: Int) {
        let expected = keyValue.key.count + keyValue.value.count + 24
        message(field: field, expected: expected) { writer in
            writer.bytes(keyValue.key, field: 1)
            writer.int64(keyValue.createRevision, field: 2)
            writer.int64(keyValue.modRevision, field: 3)
            writer.int64(keyValue.version, field: 4)
            writer.bytes(keyValue.value, field: 5)
            writer.int64(keyValue.lease, field: 6)
        }
    }

    mutating func rangeResult(_ result: RangeResult) {
        for keyValue in result.keyValues { self.keyValue(keyValue, field: 2) }
        bool(result.more, field: 3)
        int64(result.count, field: 4)
    }

    mutating func putResult(previous: KeyValue?) {
        if let previous { keyValue(previous, field: 2) }
    }

    mutating func deleteResult(count: Int64, previous: [KeyValue]) {
        int64(count, field: 2)
        for keyValue in previous { self.keyValue(keyValue, field: 3) }
    }

    mutating func transactionResult(_ outcome: KeyValueTransactionOutcome) {
        bool(outcome.succeeded, field: 2)
        for answer in outcome.answers {
            message(field: 3) { $0.answer(answer) }
        }
    }

    private mutating func answer(_ answer: KeyValueTransactionOutcome.Answer) {
        switch answer {
        case .range(let result):
            message(field: 1) { writer in
                writer.revisionHeader(result.revision)
                writer.rangeResult(result)
            }
        case .put(let previous, let revision):
            message(field: 2) { writer in
                writer.revisionHeader(revision)
                writer.putResult(previous: previous)
            }
        case .deleted(let count, let previous, let revision):
            message(field: 3) { writer in
                writer.revisionHeader(revision)
                writer.deleteResult(count: count, previous: previous)
            }
        case .transaction(let outcome, _):
            message(field: 4) { writer in
                // etcd leaves the header of a nested transaction empty.
                writer.message(field: 1) { _ in }
                writer.transactionResult(outcome)
            }
        }
    }

    /// The response to a command, or what the store refused.
    mutating func outcome(_ outcome: KeyValueOutcome, header: ResponseHeader) throws(EtcdFault) {
        switch outcome {
        case .put(let previous, let revision):
            self.header(header, revision: revision)
            putResult(previous: previous)
        case .deleted(let count, let previous, let revision):
            self.header(header, revision: revision)
            deleteResult(count: count, previous: previous)
        case .transaction(let result, let revision):
            self.header(header, revision: revision)
            transactionResult(result)
        case .compacted(let revision): self.header(header, revision: revision)
        case .refused(let refusal, _): throw EtcdFault(refusal)
        }
    }

    mutating func outcome(_ outcome: LedgerOutcome, header: ResponseHeader) throws(EtcdFault) {
        switch outcome {
        case .leaseRevoked(let revision), .done(let revision): self.header(header, revision: revision)
        case .leaseGranted(let lease, let seconds, let revision):
            self.header(header, revision: revision)
            int64(lease.rawValue, field: 2)
            int64(seconds, field: 3)
        case .refused(let refusal, _): throw EtcdFault(refusal)
        }
    }
}
