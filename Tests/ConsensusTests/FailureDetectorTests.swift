import Automata
import Consensus
import Simulation
import Testing

@Suite("Failure detectors") struct FailureDetectorTests {
    /// Detectors in simulated time: heartbeats take a time of the seed's choice, before `stable` sometimes a very long
    /// one or for ever, from then on at most `bound`.
    private struct World {
        enum Event {
            case heartbeat(from: Int, to: Int)
            case timer(Int, FailureDetector.Timer, generation: Int)
        }

        let bound = TimeSpan.milliseconds(40)
        let stable = Instant(nanoseconds: 20_000_000_000)
        var detectors: [FailureDetector]
        var isCrashed: [Bool]
        var random: SeededRandom
        var queue: [(time: Instant, event: Event)] = []
        var generations: [[FailureDetector.Timer: Int]]
        /// The last time at which anybody alive changed its mind.
        var lastChange = Instant.zero
        var mistakes = 0

        init(_ count: Int, _ kind: FailureDetector.Kind, timeout: TimeSpan, seed: UInt64) {
            let names = (1...count).map { ProcessID(UInt64($0)) }
            detectors = names.map {
                FailureDetector(
                    process: $0, processes: names, kind: kind, interval: .milliseconds(50), timeout: timeout)
            }
            isCrashed = Array(repeating: false, count: count)
            generations = Array(repeating: [:], count: count)
            random = SeededRandom(seed: seed)
            for index in detectors.indices { step(index, .start, at: .zero) }
        }

        mutating func step(_ index: Int, _ input: FailureDetector.Input, at now: Instant) {
            var outputs: [FailureDetector.Output] = []
            detectors[index].step(input, at: now, into: &outputs)
            for output in outputs {
                switch output {
                case .sendHeartbeat(let receiver):
                    guard let delay = delay(at: now) else { continue }
                    queue.append((now + delay, .heartbeat(from: index, to: Int(receiver.rawValue) - 1)))
                case .setTimer(let timer, let span):
                    generations[index][timer, default: 0] += 1
                    queue.append(
                        (now + span, .timer(index, timer, generation: generations[index][timer] ?? 0)))
                case .suspect(let other):
                    lastChange = now
                    if !isCrashed[Int(other.rawValue) - 1] { mistakes += 1 }
                case .trust, .follow: lastChange = now
                }
            }
        }

        private mutating func delay(at now: Instant) -> TimeSpan? {
            if now < stable {
                if random.chance(200_000) { return nil }
                if random.chance(100_000) {
                    return random.span(in: .milliseconds(1) ... .milliseconds(2_000))
                }
            }
            return random.span(in: .milliseconds(1)...bound)
        }

        mutating func run(until end: Instant, crashing victim: Int, at moment: Instant) {
            while let place = queue.indices.min(by: { queue[$0].time < queue[$1].time }),
                queue[place].time < end
            {
                let (now, event) = queue.remove(at: place)
                if moment < now { isCrashed[victim] = true }
                switch event {
                case .heartbeat(let sender, let receiver) where !isCrashed[receiver]:
                    step(receiver, .heartbeat(from: ProcessID(UInt64(sender + 1))), at: now)
                case .timer(let index, let timer, let generation)
                where !isCrashed[index] && generations[index][timer] == generation:
                    step(index, .timerFired(timer), at: now)
                default: break
                }
            }
        }
    }

    @Test(
        "eventually perfect: once delays have a bound exactly the crashed are suspected, and all follow one",
        arguments: 1...12)
    func eventuallyPerfect(seed: Int) {
        var world = World(
            4, .eventuallyPerfect(growth: .milliseconds(30)), timeout: .milliseconds(60), seed: UInt64(seed))
        let victim = seed % 4
        world.run(
            until: Instant(nanoseconds: 60_000_000_000), crashing: victim,
            at: Instant(nanoseconds: 15_000_000_000))
        #expect(world.mistakes > 0, "nothing went wrong before")
        for index in 0..<4 where index != victim {
            #expect(world.detectors[index].suspected == [ProcessID(UInt64(victim + 1))])
            #expect(world.detectors[index].leader == ProcessID(victim == 0 ? 2 : 1))
        }
        #expect(world.lastChange < Instant(nanoseconds: 40_000_000_000), "\(world.lastChange)")
    }

    @Test("perfect, where its timeout is longer than an interval and a delay: never wrong, and final")
    func perfect() {
        for seed in 1...10 as ClosedRange<UInt64> {
            // The time from one heartbeat to the next is at most the interval and the longest delay of them.
            var world = World(4, .perfect, timeout: .milliseconds(3_000), seed: seed)
            world.random = SeededRandom(seed: seed)
            world.run(
                until: Instant(nanoseconds: 40_000_000_000), crashing: 2,
                at: Instant(nanoseconds: 25_000_000_000))
            for index in [0, 1, 3] { #expect(world.detectors[index].suspected == [ProcessID(3)]) }
            #expect(world.mistakes == 0)
        }
    }

    @Test("a perfect one does not take a suspicion back, an eventually perfect one does and waits longer")
    func mistakes() {
        let names = [ProcessID(1), ProcessID(2)]
        func run(_ kind: FailureDetector.Kind) -> [FailureDetector.Output] {
            var detector = FailureDetector(
                process: names[1], processes: names, kind: kind, interval: .milliseconds(10),
                timeout: .milliseconds(30))
            var outputs: [FailureDetector.Output] = []
            detector.step(.start, at: .zero, into: &outputs)
            outputs.removeAll()
            detector.step(.timerFired(.timeout(names[0])), at: .zero, into: &outputs)
            detector.step(.heartbeat(from: names[0]), at: .zero, into: &outputs)
            return outputs
        }
        #expect(run(.perfect) == [.suspect(names[0]), .follow(names[1])])
        #expect(
            run(.eventuallyPerfect(growth: .milliseconds(5))) == [
                .suspect(names[0]), .follow(names[1]), .trust(names[0]),
                .setTimer(.timeout(names[0]), after: .milliseconds(35)), .follow(names[0]),
            ])
    }
}
