import Coordination

/// Stores to make checkpoints of, and what comes of their bytes.
enum CheckpointSample {
    static let families: [any Space.Type] = Ledger.families + [RegistrySpace.self]

    /// A store with something in every table.
    static func random(seed: UInt64) throws -> SpaceHarness {
        var commands = RandomCommands(seed: seed)
        let harness = try SpaceHarness(families: families)
        try harness.apply(LedgerCommand.grantLease(LeaseID(77), seconds: 10))
        for _ in 0..<60 {
            let command = commands.command(
                revision: harness.ledger.revision, compactRevision: harness.ledger.compactRevision)
            try harness.apply(command)
        }
        try harness.put("attached", "value", lease: 77)
        try harness.apply(RegistryCommand.register(bytes("name"), session: LeaseID(77)).command)
        try harness.store.write {
            try AppliedState.setSlot(seed, in: $0)
            try AppliedState.setConfiguration([1, 2, 3], in: $0)
        }
        return harness
    }

    static func pieces(
        of store: MemoryStore, pieceBytes: Int, isBare: Bool = false
    ) throws -> [CheckpointPiece] {
        try store.read { reader in
            var writer = try CheckpointWriter(
                of: reader, families: families, isBare: isBare, pieceBytes: pieceBytes)
            var pieces: [CheckpointPiece] = []
            while let piece = try writer.next() { pieces.append(piece) }
            return pieces
        }
    }

    static func stream() throws -> [UInt8] {
        try pieces(of: random(seed: 1).store, pieceBytes: 300).flatMap(\.enveloped)
    }

    /// What is wrong with them; nil when nothing is. Another error than that of checkpoints is nobody's to give.
    static func complaint(about bytes: [UInt8]) -> CheckpointError? {
        do {
            _ = try store(of: bytes)
            return nil
        } catch let error as CheckpointError {
            return error
        } catch is StoreError {
            // Rows that are well in order and hold nonsense are the store's to find.
            return CheckpointError(.damaged, "the rows are no store")
        } catch {
            preconditionFailure("\(error) where a checkpoint is read")
        }
    }

    /// The rows of the store that they make.
    static func store(of bytes: [UInt8]) throws -> [[UInt8]] {
        let store = MemoryStore()
        var stream = CheckpointStream(families: families)
        try bytes.withUnsafeBytes { try stream.receive($0, into: store) }
        try stream.expectEnd()
        try store.read { try stream.contents.judge($0) }
        return try rows(of: store)
    }

    /// Every entry of every table, behind the table's number.
    static func rows(of store: MemoryStore) throws -> [[UInt8]] {
        try SpaceHarness(store: store, families: families).dump()
    }
}
