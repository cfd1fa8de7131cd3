import Automata
import Paxos
import Replica
import Simulation
import Testing

@testable import ReplicaSimulation

@Suite("Damage in simulated logs") struct LogDamageTests {
    private static let segmentBytes = 8 << 10

    /// A log of so many writes, each synced before the next.
    private func files(writes: Int) throws -> SimulatedFiles {
        let files = SimulatedFiles(random: SeededRandom(seed: 4))
        var log = try SimulatedLog<Never>(files, segmentBytes: Self.segmentBytes) { _ in }
        for write in 1...writes {
            log.append(.chosen(upTo: Slot(UInt64(write))))
            let hasBegun = log.begin()
            let durable = log.carryOut().durable
            #expect(hasBegun && durable == RecordNumber(UInt64(write)))
        }
        return files
    }

    @Test("no damage deceives a start, and what is tried on copies changes nothing")
    func effects() throws {
        let files = try files(writes: 40)
        let before = files.paths.map { files.bytes(of: $0) }
        var random = SeededRandom(seed: 1)
        var effects: [LogDamage.Effect] = []
        for _ in 0..<300 {
            let damage = try #require(LogDamage(files, &random))
            effects.append(damage.effect(on: files, segmentBytes: Self.segmentBytes))
        }
        #expect(files.paths.map { files.bytes(of: $0) } == before)
        #expect(!effects.contains(.deceived))
        #expect(effects.contains(.refused))
        #expect(effects.contains(.shortened))
        #expect(effects.contains(.none))
    }

    @Test("a log that was damaged for good is refused")
    func strikes() throws {
        let files = try files(writes: 10)
        var random = SeededRandom(seed: 2)
        while let damage = LogDamage(files, &random) {
            guard damage.effect(on: files, segmentBytes: Self.segmentBytes) == .refused else { continue }
            damage.strike(files)
            break
        }
        #expect(throws: (any Error).self) {
            _ = try SimulatedLog<Never>(files, segmentBytes: Self.segmentBytes) { _ in }
        }
    }
}

@Suite("Judging who was removed") struct MembershipJudgeTests {
    private let one = ProcessID(1)
    private let two = ProcessID(2)

    @Test("who has applied its removal may neither answer a later read nor lead, and who has not may")
    func removed() throws {
        let first = Configuration(voters: [one, two])
        var judge = MembershipJudge(first)
        judge.append(try first.applying(.remove(two)), at: Slot(5))
        #expect(judge.latestChange == .memberRemoved)
        #expect(judge.wasRemoved(two) && !judge.wasRemoved(one))
        judge.note(two, at: Slot(4), .zero + .seconds(1))
        try judge.judgeLead(of: two)
        judge.note(two, at: Slot(5), .zero + .seconds(2))
        try judge.judgeRead(at: two, askedAt: .zero + .seconds(1))
        #expect(throws: Violation.self) { try judge.judgeRead(at: two, askedAt: .zero + .seconds(3)) }
        #expect(throws: Violation.self) { try judge.judgeLead(of: two) }
        // A start may find less.
        judge.note(two, at: Slot(4), .zero + .seconds(4))
        try judge.judgeLead(of: two)
    }

    @Test("a process that is not a member yet has not been removed")
    func joining() throws {
        let first = Configuration(voters: [one])
        var judge = MembershipJudge(first)
        judge.note(two, at: Slot(3), .zero)
        try judge.judgeLead(of: two)
        judge.append(try first.applying(.add(two, asLearner: true)), at: Slot(4))
        #expect(judge.latestChange == .learnerAdded)
        judge.append(try judge.configuration.applying(.promote(two)), at: Slot(6))
        #expect(judge.latestChange == .learnerPromoted)
    }
}
