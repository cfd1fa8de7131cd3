import Coordination

/// The service KV.
extension UnaryCall {
    func onKeyValueRequest(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        switch method {
        case .range: try onRange(message)
        case .put: try onPut(message)
        case .deleteRange: try onDeleteRange(message)
        case .txn: try onTxn(message)
        case .compact: try onCompact(message)
        default: preconditionFailure("\(method) is not of the service KV")
        }
    }

    private func onRange(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        let (query, serializable) = try KeyValueRequestDecoder.range(message)
        if serializable {
            readLocally(.range(query))
        } else {
            try endpoint.refuseLearner()
            readLinearizably(.range(query))
        }
    }

    private func onPut(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        let operation = try KeyValueRequestDecoder.put(message)
        try checkSize(message)
        submit(.put(operation))
    }

    private func onDeleteRange(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        let operation = try KeyValueRequestDecoder.delete(message)
        try checkSize(message)
        submit(.delete(operation))
    }

    private func onTxn(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        let (transaction, traits) = try KeyValueRequestDecoder.transaction(
            message, operationLimit: endpoint.limits.transactionOperations)
        if traits.readsOnly && traits.serializable {
            readLocally(.transaction(transaction))
        } else if traits.readsOnly {
            readLinearizably(.transaction(transaction))
        } else {
            try checkSize(message)
            submit(.transaction(transaction))
        }
    }

    private func onCompact(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        let (revision, physical) = try KeyValueRequestDecoder.compact(message)
        submit(.compact(revision: revision), then: physical ? .compaction(before: revision) : .outcome)
    }
}
