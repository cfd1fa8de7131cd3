import Coordination

extension LMDBStore {
    /// Of one transaction of the data file. Each has its pages in memory until it is committed, and each leads to the
    /// pages above those that it changes once more.
    private static let pieceRows = 2_000
    private static let pieceBytes = 2 << 20

    /// Brings what sealed layers hold to the data file, in pieces and in the order of the keys. A piece that fails
    /// leaves those before it, which does no harm: a view sees the layers before the file, and a restart the point.
    func writeOut(_ layers: [MemoryLayer]) throws {
        let transaction = WriteTransaction(environment)
        var cursor = LayersCursor()
        var rows = 0
        var bytes = 0
        try transaction.begin()
        var isOpen = true
        do {
            for table in StoreTable.allCases {
                cursor.enter(layers, table, at: .max)
                cursor.seekToFirst()
                while let node = cursor.node {
                    if node.isRemoval {
                        _ = try transaction.remove(node.key, in: table)
                    } else if table == .history {
                        try transaction.append(node.value, for: node.key, in: table)
                    } else {
                        try transaction.put(node.value, for: node.key, in: table)
                    }
                    rows += 1
                    bytes += node.key.count + node.value.count
                    if rows >= Self.pieceRows || bytes >= Self.pieceBytes {
                        isOpen = false
                        try room.commit(transaction)
                        try transaction.begin()
                        isOpen = true
                        (rows, bytes) = (0, 0)
                    }
                    cursor.next()
                }
            }
            isOpen = false
            try room.commit(transaction)
        } catch {
            if isOpen { transaction.abort() }
            throw error
        }
    }
}
