import ReplicaSimulation
import Simulation
import Testing

@Suite("Failing runs of members made smaller") struct MemberShrinkTests {
    private func swept(_ reduction: MemberReduction, shrinks: Bool) -> [String] {
        var options = MemberSweep.Options()
        options.flaw = .answersBeforeDurable
        options.reduction = reduction
        options.shrinks = shrinks
        options.lastLines = 1
        var sweep = MemberSweep(options)
        var lines: [String] = []
        #expect(!sweep.run { lines.append($0) })
        return lines
    }

    @Test("a run that fails shrinks to the same twice, and what is printed fails alike")
    func shrinks() throws {
        let lines = swept(MemberReduction(), shrinks: true)
        #expect(lines == swept(MemberReduction(), shrinks: true))
        let smaller = try #require(lines.first { $0.hasPrefix("smaller: ") })
        #expect(
            smaller.hasPrefix(
                "smaller: synod simulate members --seed 1 --flaw answersBeforeDurable --faults none"))
        var reduction = MemberReduction()
        for fault in MemberFault.allCases { reduction.leaveOut(fault) }
        let words = smaller.split(separator: " ")
        func value(_ flag: Substring) -> Int? {
            words.firstIndex(of: flag).flatMap { Int(words[$0 + 1]) }
        }
        reduction.operations = value("--operations")
        reduction.strikes = value("--strikes")
        reduction.milliseconds = value("--milliseconds")
        #expect(smaller.contains(" \(reduction.arguments) --trace"))
        let again = swept(reduction, shrinks: false)
        #expect(again.contains { $0.hasPrefix("seed 1 fails: durability") })
    }

    @Test("what a run is without stands as on a command line, by the shorter of two lists")
    func arguments() {
        var reduction = MemberReduction()
        #expect(reduction.arguments == "")
        reduction.leaveOut(.pauses)
        reduction.leaveOut(.crashes)
        reduction.operations = 3
        #expect(reduction.arguments == "--without crashes,pauses --operations 3")
        for fault in MemberFault.allCases where fault != .stops { reduction.leaveOut(fault) }
        reduction.strikes = 0
        #expect(reduction.arguments == "--faults stops --operations 3 --strikes 0")
        #expect(MemberReduction.faults(in: "none") == [])
        #expect(MemberReduction.faults(in: "stops,resets") == [.stops, .resets])
        #expect(MemberReduction.faults(in: "stops,storms") == nil)
    }

    @Test("a kind of fault that is left out does not strike")
    func leavesOut() {
        var options = MemberSweep.Options()
        options.seeds = 4
        for fault in MemberFault.allCases where fault != .partitions { options.reduction.leaveOut(fault) }
        var sweep = MemberSweep(options)
        #expect(sweep.run { _ in })
        #expect(sweep.statistics.partitions > 0)
        #expect(sweep.statistics.crashes == 0)
        #expect(sweep.statistics.pauses == 0)
        options.reduction.strikes = 0
        options.reduction.operations = 0
        sweep = MemberSweep(options)
        #expect(sweep.run { _ in })
        #expect(sweep.statistics.partitions == 0)
    }
}
