import Coordination
import Testing

@Suite("The space against a naive model") struct DifferentialTests {
    @Test(
        "thousands of random commands have the outcomes, events, ranges and histories of the model",
        arguments: [1, 2, 3, 4] as [UInt64])
    func random(seed: UInt64) throws {
        var commands = RandomCommands(seed: seed)
        var model = NaiveSpace()
        let harness = try SpaceHarness()
        let lazy = try SpaceHarness()
        var refusals: [KeyValueRefusal: Int] = [:]
        func count(_ outcome: TestOutcome) {
            switch outcome {
            case .keyValue(.refused(let refusal, _)): refusals[refusal, default: 0] += 1
            case .ledger(.refused(let refusal, _)): refusals[.ledger(refusal), default: 0] += 1
            default: break
            }
        }

        for step in 1...1500 {
            let command = commands.command(revision: model.revision, compactRevision: model.compactRevision)
            let logged = model.log.count
            let expected = model.apply(command)
            let outcome = try harness.apply(command)
            try #require(outcome == expected, "seed \(seed) step \(step): \(command)")
            try #require(
                harness.events == Array(model.log[logged...]), "seed \(seed) step \(step): \(command)")
            try #require(harness.ledger.revision == model.revision)
            count(outcome)

            let lazyOutcome = try lazy.apply(command)
            try #require(lazyOutcome == expected)
            if commands.numbers.chance(20) {
                _ = try harness.removeCompacted(limit: 1 + commands.numbers.below(20))
            }
            try compareReads(harness, model, &commands, "seed \(seed) step \(step)")
            if step % 50 == 0 {
                try compareHistory(harness, model, &commands)
                try compareHashes(harness, lazy)
                if step % 300 == 0 { try harness.removeAllCompacted(limit: 7) }
                try compareLeases(harness, model)
            }
        }
        for refusal in [
            KeyValueRefusal.compacted, .futureRevision, .leaseNotFound, .ledger(.leaseExists), .keyNotFound,
            .ledger(.leaseTooLong), .duplicateKey,
        ] { #expect(refusals[refusal, default: 0] > 0, "no command was refused with \(refusal)") }

        try harness.removeAllCompacted()
        try compareHashes(harness, lazy)
        let kept = try harness.storedVersions()
        #expect(kept < model.log.count, "compaction removed nothing")
        let restored = try SpaceHarness(store: harness.store)
        #expect(restored.ledger.revision == model.revision)
        #expect(restored.ledger.compactRevision == model.compactRevision)
    }

    private func compareReads(
        _ harness: SpaceHarness, _ model: NaiveSpace, _ commands: inout RandomCommands, _ place: String
    ) throws {
        let query = commands.query(revision: model.revision, compactRevision: model.compactRevision)
        let expected = Result { () throws(KeyValueRefusal) in try model.range(query) }
        do {
            let result = try harness.range(query)
            let expected = try expected.get()
            try #require(result == expected, "\(place): \(query)")
            try #require(try harness.planned(query) == expected, "the plan, \(place): \(query)")
        } catch let refusal as KeyValueRefusal {
            try #require(expected == .failure(refusal), "\(place): \(query)")
        }
        let key = commands.key()
        let revision = 1 + Int64(commands.numbers.below(Int(model.revision)))
        let previous = try harness.read { try $0.previous(of: key, before: revision) }
        let isCompacted = revision - 1 < model.compactRevision
        try #require(previous == (isCompacted ? nil : model.state(at: revision - 1)[key]), "\(place)")
    }

    private func compareHistory(
        _ harness: SpaceHarness, _ model: NaiveSpace, _ commands: inout RandomCommands
    ) throws {
        let oldest = max(model.compactRevision, 1)
        let from = oldest + Int64(commands.numbers.below(Int(model.revision - oldest) + 1))
        let range = commands.range()
        var events: [KeyValueEvent] = []
        var next = from
        while next <= model.revision {
            let before = events.count
            let last = try harness.read {
                try $0.events(
                    from: next, through: model.revision, byteLimit: 300, matching: { range.contains($0) },
                    into: &events)
            }
            try #require(last >= next && last <= model.revision)
            #expect(events[before...].allSatisfy { (next...last).contains($0.keyValue.modRevision) })
            next = last + 1
        }
        let expected = model.log.filter { event in
            event.keyValue.modRevision >= from && NaiveSpace.holds(range, event.keyValue.key)
        }
        try #require(events == expected, "from \(from), compacted \(model.compactRevision)")
    }

    private func compareHashes(_ harness: SpaceHarness, _ lazy: SpaceHarness) throws {
        let revision = harness.ledger.revision
        let middle = (max(harness.ledger.compactRevision, 1) + revision) / 2
        for at in [0, revision, middle, max(harness.ledger.compactRevision, 0)] {
            let one = try harness.read { try $0.hash(at: at) }
            let other = try lazy.read { try $0.hash(at: at) }
            try #require(one == other)
        }
    }

    private func compareLeases(_ harness: SpaceHarness, _ model: NaiveSpace) throws {
        try harness.read { reader in
            let leases = try reader.ledger.leases()
            #expect(leases.map(\.id.rawValue) == model.leases.keys.sorted())
            for (lease, seconds) in leases {
                #expect(seconds == model.leases[lease.rawValue])
                #expect(try reader.keys(of: lease) == model.keys(of: lease.rawValue))
            }
        }
    }

    @Test("the same commands give two stores the same bytes in every table")
    func deterministic() throws {
        let stores = try (0..<2).map { _ in try SpaceHarness() }
        for harness in stores {
            var commands = RandomCommands(seed: 11)
            for _ in 1...800 {
                try harness.apply(
                    commands.command(
                        revision: harness.ledger.revision, compactRevision: harness.ledger.compactRevision))
            }
        }
        #expect(try stores[0].dump() == stores[1].dump())
        #expect(stores[0].allEvents == stores[1].allEvents)
    }
}
