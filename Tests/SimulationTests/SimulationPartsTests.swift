import Automata
import Testing

@testable import Simulation

@Suite("Parts of the simulator") struct SimulationPartsTests {
    @Test("the generator is xoshiro256**: the first numbers of a seed never change")
    func generatorIsPinned() {
        var random = SeededRandom(seed: 1)
        let first = (0..<3).map { _ in random.next() }
        #expect(first == [12_966_619_160_104_079_557, 9_600_361_134_598_540_522, 10_590_380_919_521_690_900])
    }

    @Test("draws stay within their range and reach both ends")
    func drawsStayInRange() {
        var random = SeededRandom(seed: 2)
        let numbers = (0..<1_000).map { _ in random.number(in: 3...6) }
        #expect(Set(numbers) == [3, 4, 5, 6])
        let spans = (0..<1_000).map { _ in random.span(in: .zero...TimeSpan(nanoseconds: 2)).nanoseconds }
        #expect(Set(spans) == [0, 1, 2])
        #expect(!(0..<1_000).contains { _ in random.chance(0) })
        #expect((0..<1_000).allSatisfy { _ in random.chance(1_000_000) })
        #expect(random.shuffled([1, 2, 3, 4, 5]).sorted() == [1, 2, 3, 4, 5])
    }

    @Test("events come in order of time, and in order of scheduling at the same time")
    func queueIsOrdered() {
        var random = SeededRandom(seed: 3)
        var queue = EventQueue<Int>()
        var expected: [(UInt64, Int)] = []
        for event in 0..<500 {
            let time = random.below(50)
            queue.schedule(event, at: Instant(nanoseconds: time))
            expected.append((time, event))
        }
        expected.sort { $0 < $1 }
        for (time, event) in expected {
            let next = queue.popFirst()
            #expect(next?.time.nanoseconds == time && next?.event == event)
        }
        #expect(queue.isEmpty)
    }

    @Test("frames that are cut short or damaged end the log, wherever the damage is")
    func framingFindsDamage() {
        let records: [[UInt8]] = [[1, 2, 3], [], [4], Array(repeating: 9, count: 300)]
        let frames = records.map(Framing.framed)
        let bytes = frames.flatMap { $0 }
        #expect(Framing.records(in: bytes).records == records)
        var ends = [0]
        for frame in frames { ends.append((ends.last ?? 0) + frame.count) }
        for count in 0...bytes.count {
            let (read, intact) = Framing.records(in: Array(bytes.prefix(count)))
            let whole = ends.lastIndex { $0 <= count } ?? 0
            #expect(read == Array(records.prefix(whole)) && intact == ends[whole])
        }
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 0x40
            let whole = (ends.firstIndex { $0 > position } ?? 1) - 1
            #expect(Framing.records(in: damaged).records == Array(records.prefix(whole)))
        }
    }

    @Test("zeros that a hole leaves are no frame")
    func zerosAreNoFrame() {
        #expect(Framing.records(in: Array(repeating: 0, count: 64)).records.isEmpty)
    }

    @Test("links that keep order never let a message overtake another; others do")
    func orderedLinks() {
        for isOrdered in [true, false] {
            var rules = Network.Rules()
            rules.delay = Delay(least: .zero, usual: .milliseconds(10))
            rules.isOrdered = isOrdered
            var network = Network(processes: 2, rules: rules, random: SeededRandom(seed: 4))
            let times = (0..<200).compactMap {
                network.arrivals(from: 0, to: 1, at: Instant(nanoseconds: UInt64($0))).first
            }
            #expect((times == times.sorted()) == isOrdered)
        }
    }

    @Test("loss and duplication strike about as often as the rules say")
    func lossAndDuplication() {
        var rules = Network.Rules()
        rules.lossPPM = 100_000
        rules.duplicationPPM = 200_000
        var network = Network(processes: 2, rules: rules, random: SeededRandom(seed: 5))
        let arrivals = (0..<10_000).map { _ in network.arrivals(from: 0, to: 1, at: .zero) }
        #expect((800...1_200).contains(arrivals.count { $0.first == nil }))
        #expect((1_600...2_000).contains(arrivals.count { $0.second != nil }))
    }

    @Test("each kind of partition cuts the links that its name says")
    func partitionKinds() {
        var random = SeededRandom(seed: 6)
        for _ in 0..<50 {
            for kind in PartitionKind.allCases {
                let cuts = kind.cuts(among: 5, &random)
                #expect(cuts.allSatisfy { $0.from != $0.to })
                let senders = Set(cuts.map(\.from))
                let receivers = Set(cuts.map(\.to))
                switch kind {
                case .groups: #expect([8, 12].contains(cuts.count))
                case .isolated: #expect(cuts.count == 8)
                case .mute: #expect(cuts.count == 4 && senders.count == 1)
                case .deaf: #expect(cuts.count == 4 && receivers.count == 1)
                case .scattered: break
                case .star: #expect(cuts.count == 12 && senders.count == 4)
                case .chain: #expect(cuts.count == 12)
                }
            }
        }
    }

    @Test("mixes differ between seeds, and each kind of fault is missing in some")
    func mixesAreSwarms() {
        let mixes = (0..<200).map { seed in
            var random = SeededRandom(seed: UInt64(seed))
            return FaultMix.drawn(processes: 3, from: &random)
        }
        #expect(Set(mixes).count == 200)
        for isPresent in [
            { $0.crashes != nil }, { $0.partitions != nil }, { $0.pauses != nil }, { $0.clogs != nil },
            { $0.network.lossPPM > 0 }, { $0.network.isOrdered }, { $0.clockSkewPPM > 0 },
        ] as [(FaultMix) -> Bool] {
            #expect((60...190).contains(mixes.count(where: isPresent)))
        }
    }

    @Test("a cell holds after a crash either what was synced or something written later")
    func cells() {
        var random = SeededRandom(seed: 7)
        var seen: Set<UInt8> = []
        for _ in 0..<200 {
            var disk = SimulatedDisk()
            disk.store([1], cell: 0, write: 1)
            disk.completeCells(upTo: 1)
            disk.store([2], cell: 0, write: 2)
            disk.store([3], cell: 0, write: 3)
            _ = disk.crash(.init(), &random)
            seen.insert(disk.cell(0)?[0] ?? 0)
        }
        #expect(seen == [1, 2, 3])
    }
}
