import Automata
import PeerLinks
import Replica
import Simulation

/// How the processes of one run are connected. It is drawn apart from everything else, so that the other runs of a
/// sweep do not move when something is added here.
struct LinkPlan {
    /// Each message is on its own when it is `nil`; otherwise they go over connections as the server's do.
    let policy: ConnectionPolicy?
    private(set) var transfers: TransferSettings
    /// Values of this size fill the links; `nil` where those carry everything.
    private(set) var largeValue: Int?
    /// Of a thousand values.
    private(set) var largePerMille: UInt64 = 0

    init(
        seed: UInt64, _ mix: inout FaultMix, _ replica: inout Replica.Settings, requestGap: TimeSpan,
        isPlain: Bool
    ) {
        var random = SeededRandom(seed: seed ^ 0x6c69_6e6b)
        let timeout = replica.electionTimeout
        let times = LinkTimes(
            electionTimeout: timeout, stall: timeout * UInt64(random.number(in: 4...10)))
        transfers = TransferSettings(times: times)
        if random.chance(300_000) { transfers.hangsPerMille = 100 }
        guard !isPlain, random.chance(400_000) else {
            policy = nil
            return
        }
        mix.network.isOrdered = true
        mix.network.duplicationPPM = 0
        // What is late holds up all that is behind it.
        mix.network.lossPPM /= 10
        mix.network.delay.spikesPPM /= 10
        func gap(_ range: ClosedRange<UInt64>) -> TimeSpan {
            random.span(in: .milliseconds(range.lowerBound) ... .milliseconds(range.upperBound))
        }
        if random.chance(650_000) { mix.resets = .init(every: gap(100...3_000), lasting: .zero ... .zero) }
        if random.chance(650_000) { mix.halfOpens = .init(every: gap(300...4_000), lasting: .zero ... .zero) }
        if random.coin() { mix.powerCutsPPM = 500_000 }
        transfers.pieces = random.number(in: 2...40)
        guard random.chance(400_000) else {
            policy = ConnectionPolicy(times, carriedWithinTimeout: nil)
            return
        }
        // As a link of 20 Mbit/s is to values of 200 kB: some of them within an election timeout.
        let value = random.element([2_000, 8_000, 8_000, 30_000, 30_000, 200_000])
        // Pulse and answers of a restless run fit in any case.
        let carried = max(value * random.number(in: 3...10), Int(timeout.nanoseconds / 5_000))
        policy = ConnectionPolicy(times, carriedWithinTimeout: carried)
        mix.network.bytesPerSecond = UInt64(carried) * 1_000_000_000 / timeout.nanoseconds
        replica.batchBytesLimit = max(value, carried / 4)
        largeValue = value
        // Twice what the links carry is offered, within bounds.
        let span = requestGap.nanoseconds
        let offered = 2_000 * UInt64(carried) * span / UInt64(value) / timeout.nanoseconds
        largePerMille = max(1, min(200, offered, span * 2 / 5 / UInt64(value)))
        // A transfer takes up to some election timeouts, and what is on its way of it at once half of one. A small
        // one overtakes what its receiver proposes meanwhile.
        transfers.pieces = random.element([1, 2, 4, 8, 16, 48])
        transfers.pieceBytes = carried / 8
    }
}

extension ConnectionPolicy {
    /// The server's. What a slow link carries within an election timeout is as much less than what the server's
    /// does as its bounds are lower.
    init(_ times: LinkTimes, carriedWithinTimeout carried: Int?) {
        let ceiling = carried.map { max($0 * 4, 64 << 10) } ?? 1 << 24
        let floor = carried.map { $0 / 10 } ?? 256 << 10
        self.init(
            silence: times.noticedSilence,
            redial: { failures in
                var redial = Redial(times)
                for _ in 0..<failures { _ = redial.failed() }
                return redial.failed()
            },
            queue: { lane in
                // Whoever sends a checkpoint bounds by itself what is on its way.
                let limit = lane == .transfer ? 1 << 40 : ceiling
                return LinkQueue(
                    budget: SendBudget(patience: times.electionTimeout, floor: floor, ceiling: limit))
            })
    }
}

private struct LinkQueue: ConnectionQueue {
    var budget: SendBudget

    mutating func admit(_ bytes: Int, at now: Instant) -> Bool { budget.admit(bytes, at: now) }
    mutating func carried(_ bytes: Int, at now: Instant) { budget.carried(bytes, at: now) }
    mutating func reset() { budget.reset() }
}

extension LinkTimes {
    /// How long a side waits until it gives up one from which it hears nothing; `nil` when it never does.
    fileprivate var noticedSilence: TimeSpan? {
        var watch = SilenceWatch()
        for ticks in 1...1_000 as ClosedRange<UInt64> where watch.tick() { return tick * ticks }
        return nil
    }
}
