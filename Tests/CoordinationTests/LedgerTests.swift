import Coordination
import Member
import Testing

/// A second family beside the key-value space, which no line of the ledger knows.
@Suite("Two families on one ledger") struct LedgerTests {
    private static let families: [any Space.Type] = [KeyValueSpace.self, RegistrySpace.self]

    private let harness: SpaceHarness
    private let registry: RegistrySpace
    private let session = LeaseID(7)

    init() throws {
        harness = try SpaceHarness(families: Self.families)
        registry = try harness.store.read { RegistrySpace(from: $0) }
        try harness.apply(.grantLease(session, seconds: 10))
    }

    private func apply(_ command: RegistryCommand) throws -> RegistryOutcome {
        try #require(try harness.apply(command.command) as? RegistryOutcome)
    }

    private func holder(of name: String) throws -> LeaseID? {
        try harness.store.read { try registry.holder(of: bytes(name), in: $0) }
    }

    @Test("changes of both stand in one order of revisions")
    func oneOrder() throws {
        try harness.put("k", "1")
        #expect(try apply(.register(bytes("n"), session: session)) == .registered(revision: 3))
        try harness.put("k", "2")
        #expect(try apply(.register(bytes("n"), session: session)) == .isHeld(by: session, revision: 4))
        #expect(try apply(.release(bytes("n"))) == .released(revision: 5))
        #expect(harness.ledger.revision == 5)
        #expect(try harness.list("k") == ["k=2@4"])
    }

    @Test("the end of a session takes what both families attach to it, in one revision")
    func ended() throws {
        try harness.put("k", lease: session.rawValue)
        for name in ["b", "a"] { _ = try apply(.register(bytes(name), session: session)) }
        #expect(try holder(of: "a") == session)
        #expect(try harness.apply(.expireLeases([session])) == .done(revision: 5))
        #expect(try holder(of: "a") == nil)
        #expect(try holder(of: "b") == nil)
        #expect(try harness.list("k").isEmpty)
        #expect(try apply(.register(bytes("a"), session: session)) == .refused(.leaseNotFound))
    }

    @Test("reads of the key-value space pass over the other's history")
    func reads() throws {
        let alone = try SpaceHarness()
        try alone.apply(.grantLease(session, seconds: 10))
        for harness in [harness, alone] { try harness.put("k", "1") }
        _ = try apply(.register(bytes("n"), session: session))
        let hashes = try [harness, alone].map { try $0.read { try $0.hash(at: 2).hash } }
        #expect(hashes[0] == hashes[1])
        #expect(try harness.read { try $0.hash(at: 0).hash } == hashes[0])

        var events: [KeyValueEvent] = []
        let last = try harness.read {
            try $0.events(from: 1, through: 3, byteLimit: 1000, matching: { _ in true }, into: &events)
        }
        #expect(last == 3 && events.map(\.keyValue.modRevision) == [2])
        #expect(
            try harness.read { reader in
                let walk = try reader.history()
                return [try walk.next()?.revision, try walk.next()?.revision]
            } == [2, nil] as [Int64?])
    }

    @Test("a compaction of the key-value space leaves the other's history, however small its steps")
    func compaction() throws {
        for round in 1...20 {
            try harness.put("k", "\(round)")
            for name in ["a", "b", "c"] {
                _ = try apply(.register(bytes(name), session: session))
                _ = try apply(.release(bytes(name)))
            }
        }
        let revision = harness.ledger.revision
        try harness.apply(.compact(revision: revision))
        try harness.removeAllCompacted(limit: 3)
        #expect(try harness.storedVersions() == 1 + 20 * 6)
        #expect(try SpaceHarness(store: harness.store, families: Self.families).ledger.revision == revision)
    }

    @Test("an alarm forbids what needs room, in the other family too")
    func alarm() throws {
        try harness.apply(.setAlarm(Alarm(member: 1, kind: .noSpace), raised: true))
        #expect(try apply(.register(bytes("n"), session: session)) == .refused(.noSpace))
        #expect(try apply(.release(bytes("n"))) == .released(revision: 1))
    }

    @Test("a family that this ledger does not have is no command to guess at")
    func unknown() throws {
        let alone = try SpaceHarness()
        let command = RegistryCommand.release(bytes("n")).command
        #expect(throws: UnknownCommand(space: .registry, version: 1)) { try alone.apply(command) }
        #expect(throws: UnknownCommand(space: .registry, version: 2)) {
            try harness.apply(Command(space: .registry, version: 2, payload: command.payload))
        }
    }

    @Test("watches of either family, from now on or from the past, lasting or one-shot")
    func watches() throws {
        let service = try MemoryService(families: Self.families)
        let deliveries = Deliveries()
        let port = service.openPort { deliveries.append($0) }
        func watch(_ watcher: UInt64, _ space: SpaceID, from start: Int64 = 0, isOneShot: Bool = false) {
            var specification = WatchSpecification(range: keys("a", ""), startRevision: start)
            (specification.space, specification.isOneShot) = (space, isOneShot)
            port.watch(specification, watcher: WatcherID(watcher))
        }
        func submit(_ command: some SpaceCommand) { port.submit(.command(command.command), token: 0) }
        watch(1, .keyValue)
        watch(2, .registry)
        watch(3, .registry, isOneShot: true)
        submit(LedgerCommand.grantLease(session, seconds: 10))
        for name in ["m", "n"] { submit(RegistryCommand.register(bytes(name), session: session)) }
        submit(KeyValueCommand.put(PutOperation(key: bytes("k"), value: [])))
        submit(LedgerCommand.revokeLease(session))
        port.flush()
        watch(4, .registry, from: 1, isOneShot: true)
        watch(5, .registry, from: 3)
        watch(6, .keyValue, from: 1)
        port.flush()
        let told = Dictionary(grouping: deliveries.takeEvents()) { $0.prefix(while: { $0 != ":" }) }
        let kept = ["put m=@2", "put n=@3", "delete m=@5", "delete n=@5"]
        let expected: [Int: [String]] = [
            1: ["put k=@4"], 2: kept, 3: ["put m=@2"], 4: ["put m=@2"], 5: Array(kept[1...]), 6: ["put k=@4"],
        ]
        for (watcher, events) in expected {
            #expect(told["\(watcher)"] == events.map { "\(watcher):\($0)" })
        }
    }

    @Test("a server in memory answers both")
    func service() throws {
        let service = try MemoryService(families: Self.families)
        let deliveries = Deliveries()
        let port = service.openPort { deliveries.append($0) }
        port.watch(WatchSpecification(range: keys("a", "z")), watcher: WatcherID(1))
        port.submit(.command(LedgerCommand.grantLease(session, seconds: 10).command), token: 1)
        port.submit(.command(RegistryCommand.register(bytes("n"), session: session).command), token: 2)
        port.submit(.command(KeyValueCommand.put(PutOperation(key: bytes("k"), value: [])).command), token: 3)
        port.requestProgress(of: [WatcherID(1)], token: 4)
        port.flush()
        let delivered = deliveries.take()
        let outcomes = delivered.compactMap { delivery -> (any SpaceOutcome)? in
            if case .answer(_, .success(.outcome(let outcome, _))) = delivery { return outcome }
            return nil
        }
        #expect(outcomes.count == 3 && outcomes[1] as? RegistryOutcome == .registered(revision: 2))
        for delivery in delivered {
            if case .events(_, let batch) = delivery {
                #expect(batch.revision == 3 && batch.events.map(\.keyValue.modRevision) == [3])
            }
            if case .progress(_, let revision) = delivery { #expect(revision == 3) }
        }
        #expect(delivered.count == 5)
    }
}
