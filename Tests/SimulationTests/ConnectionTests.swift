import Automata
import Testing

@testable import Simulation

@Suite("Simulated connections") struct ConnectionTests {
    /// Takes no more than a bound.
    private struct Bounded: ConnectionQueue {
        var waiting = 0

        mutating func admit(_ bytes: Int, at now: Instant) -> Bool {
            guard waiting == 0 || waiting + bytes <= 1_000 else { return false }
            waiting += bytes
            return true
        }
        mutating func carried(_ bytes: Int, at now: Instant) { waiting -= bytes }
        mutating func reset() { waiting = 0 }
    }

    private func network(bytesPerSecond: UInt64? = nil, silence: TimeSpan? = .milliseconds(100)) -> Network {
        var rules = Network.Rules()
        rules.delay = Delay(least: .milliseconds(1))
        rules.bytesPerSecond = bytesPerSecond
        let policy = ConnectionPolicy(
            silence: silence, redial: { _ in .milliseconds(20) ... .milliseconds(20) },
            queue: { _ in Bounded() })
        return Network(processes: 3, rules: rules, policy: policy, random: SeededRandom(seed: 1))
    }

    private func milliseconds(_ count: UInt64) -> Instant { .zero + .milliseconds(count) }

    @Test("bytes leave at the link's rate, one message behind the other, and other lanes do not wait")
    func headOfLine() {
        var network = network(bytesPerSecond: 10_000)
        let bulk = Parcel(bytes: 500, lane: .bulk)
        #expect(network.arrival(of: bulk, from: 0, to: 1, at: .zero) == milliseconds(51))
        #expect(network.arrival(of: bulk, from: 0, to: 1, at: .zero) == milliseconds(101))
        #expect(
            network.arrival(of: Parcel(bytes: 10, lane: .urgent), from: 0, to: 1, at: .zero)
                == milliseconds(2))
        #expect(network.arrival(of: bulk, from: 0, to: 1, at: .zero) == nil, "there is room for 1,000 bytes")
        #expect(network.arrival(of: bulk, from: 0, to: 1, at: milliseconds(50)) == milliseconds(151))
    }

    @Test("on a half-open connection everything vanishes until silence is noticed, and then one is dialled")
    func halfOpen() {
        var network = network()
        let parcel = Parcel(bytes: 10, lane: .urgent)
        network.loseTrack(0, 1, at: .zero)
        for time in [0, 99, 119] as [UInt64] {
            #expect(network.arrival(of: parcel, from: 0, to: 1, at: milliseconds(time)) == nil)
        }
        #expect(network.arrival(of: parcel, from: 1, to: 0, at: .zero) == milliseconds(1))
        #expect(network.arrival(of: parcel, from: 0, to: 1, at: milliseconds(120)) == milliseconds(121))
    }

    @Test("nobody who waits for ever finds out that a connection is half-open")
    func neverNoticed() {
        var network = network(silence: nil)
        network.loseTrack(0, 1, at: .zero)
        let hour = Instant.zero + .seconds(3_600)
        #expect(network.arrival(of: Parcel(bytes: 10, lane: .urgent), from: 0, to: 1, at: hour) == nil)
    }

    @Test("a cut that is shorter than silence loses nothing, a longer one everything that was on its way")
    func cuts() {
        for (length, survives) in [(90, true), (150, false)] as [(UInt64, Bool)] {
            var network = network()
            let before = network.connection(0, 1, .bulk).generation
            network.cut(0, 1, at: .zero)
            network.healAll(at: milliseconds(length))
            #expect((network.connection(0, 1, .bulk).generation == before) == survives)
            let next = network.arrival(
                of: Parcel(bytes: 1, lane: .bulk), from: 0, to: 1, at: milliseconds(length))
            if survives { #expect(next.map { $0 <= milliseconds(2 * length + 1) } == true) }
            // Attempts began when the connection was given up, after 100 ms, and come every 20 ms.
            if !survives {
                #expect(next == nil)
                let later = network.arrival(
                    of: Parcel(bytes: 1, lane: .bulk), from: 0, to: 1, at: milliseconds(160))
                #expect(later == milliseconds(161))
            }
        }
    }

    @Test("who spoke with a machine that went down is not told, and who spoke with a process that did is")
    func powerCut() {
        var network = network()
        let parcel = Parcel(bytes: 10, lane: .urgent)
        network.lose(1, withItsSystem: false, at: .zero)
        network.lose(2, withItsSystem: true, at: .zero)
        #expect(network.arrival(of: parcel, from: 0, to: 1, at: .zero) != nil)
        #expect(network.arrival(of: parcel, from: 0, to: 2, at: .zero) == nil)
    }

    @Test("between those that are sheltered nothing is slow, lost or half-open")
    func sheltered() {
        var network = network(bytesPerSecond: 10)
        network.loseTrack(0, 1, at: .zero)
        network.shelter([0, 1])
        #expect(
            network.arrival(of: Parcel(bytes: 5_000, lane: .bulk), from: 0, to: 1, at: .zero)
                == milliseconds(1))
    }
}
