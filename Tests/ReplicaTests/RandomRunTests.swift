import Glibc
import Paxos
import Testing

@testable import Replica

/// `SYNOD_SEEDS=1000` runs that many seeds of each, `SYNOD_FIRST_SEED=17` begins there.
@Suite("Random runs") struct RandomRunTests {
    private func run(
        _ usual: UInt64, voters: Int, others: Int = 0, quorums: QuorumSystem = .majority,
        _ faults: RandomRun.Faults
    ) throws {
        let count = Self.number("SYNOD_SEEDS") ?? usual
        let first = Self.number("SYNOD_FIRST_SEED") ?? 1
        var chosen = 0
        var answered = 0
        for seed in first..<first + count {
            var run = try RandomRun(seed: seed, voters: voters, others: others, quorums: quorums, faults)
            let violations = run.run()
            chosen += run.cluster.history.count
            answered += run.answeredReads
            #expect(violations.isEmpty, "seed \(seed): \(violations.first ?? "")")
            if !violations.isEmpty { return }
        }
        // A run in which nothing happens proves nothing.
        #expect(chosen > Int(count) * 20)
        #expect(answered > 0)
    }

    private static func number(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }

    @Test("three processes agree and converge under loss, copies, crashes and partitions")
    func three() throws { try run(5, voters: 3, .init()) }

    @Test("five processes do so when phase 1 takes four of them and phase 2 two")
    func five() throws {
        try run(3, voters: 5, quorums: .flexible(phase1: 4, phase2: 2), .init())
    }

    @Test("membership may change meanwhile")
    func membership() throws {
        try run(6, voters: 3, others: 3, .init(reconfigure: true))
    }

    @Test("lease reads are linearizable")
    func leases() throws { try run(4, voters: 3, .init(lease: true)) }
}
