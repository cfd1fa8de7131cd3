import Coordination
import Testing

@Suite("The state with which a new cluster begins") struct NewBeginningTests {
    @Test("keys, revisions, leases and history stay, members, configuration and alarms go")
    func begins() throws {
        let harness = try CheckpointSample.random(seed: 11)
        let member = LedgerCommand.publishMember(id: 5, name: "old", peerURLs: ["http://a:1"], clientURLs: [])
        try harness.apply(member)
        let revision = harness.ledger.revision
        try harness.apply(KeyValueCommand.compact(revision: revision - 1))
        try harness.apply(LedgerCommand.setAlarm(Alarm(member: 5, kind: .noSpace), raised: true))
        let before = try CheckpointSample.rows(of: harness.store).filter { $0[0] != StoreTable.meta.rawValue }
        let leases = try harness.store.read { try LedgerReader($0).leases() }

        try harness.store.write { try NewBeginning.begin(in: $0) }
        let after = try CheckpointSample.rows(of: harness.store).filter { $0[0] != StoreTable.meta.rawValue }
        #expect(after == before)
        let applied = try harness.store.read { try AppliedState(from: $0) }
        #expect(applied == AppliedState(slot: NewBeginning.slot))
        let ledger = try harness.store.read { reader in
            let ledger = LedgerReader(reader)
            return (
                revision: try ledger.revision(), compacted: try ledger.compactRevision(of: .keyValue),
                members: try ledger.members(), alarms: try ledger.alarms(),
                leases: try ledger.leases().map(\.id)
            )
        }
        #expect(ledger.revision == revision && ledger.compacted == revision - 1)
        #expect(ledger.members.isEmpty && ledger.alarms.isEmpty)
        #expect(ledger.leases == leases.map(\.id) && ledger.leases.contains(LeaseID(77)))
    }
}
