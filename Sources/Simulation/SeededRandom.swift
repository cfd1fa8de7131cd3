import Automata

/// xoshiro256**, seeded through SplitMix64 (Blackman, Vigna, Scrambled Linear Pseudorandom Number
/// Generators, TOMS 2021).
///
/// It draws its own ranges instead of conforming to the standard library's protocol, whose way of drawing
/// may change between versions: a seed must name the same run for ever.
public struct SeededRandom: Hashable, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    public init(seed: UInt64) {
        var word = seed
        func next() -> UInt64 {
            word &+= 0x9E37_79B9_7F4A_7C15
            var z = word
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        state = (next(), next(), next(), next())
    }

    public mutating func next() -> UInt64 {
        func rotated(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
        let result = rotated(state.1 &* 5, 7) &* 9
        let t = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= t
        state.3 = rotated(state.3, 45)
        return result
    }

    /// A number below `bound`, which must not be zero. The bias is below `bound / 2^64`.
    public mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }

    /// An index into a collection of `count` elements, which must not be empty.
    public mutating func index(_ count: Int) -> Int { Int(below(UInt64(count))) }

    public mutating func number(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + index(range.upperBound - range.lowerBound + 1)
    }

    public mutating func span(in range: ClosedRange<TimeSpan>) -> TimeSpan {
        let (low, high) = (range.lowerBound.nanoseconds, range.upperBound.nanoseconds)
        return TimeSpan(nanoseconds: low + below(high - low + 1))
    }

    /// True in `partsPerMillion` of a million draws.
    public mutating func chance(_ partsPerMillion: UInt64) -> Bool {
        partsPerMillion > 0 && below(1_000_000) < partsPerMillion
    }

    public mutating func coin() -> Bool { next() >> 63 == 0 }

    public mutating func element<T>(_ elements: [T]) -> T { elements[index(elements.count)] }

    /// In an order drawn by Fisher and Yates' method.
    public mutating func shuffled<T>(_ elements: [T]) -> [T] {
        var result = elements
        for i in stride(from: result.count - 1, to: 0, by: -1) { result.swapAt(i, index(i + 1)) }
        return result
    }

    /// A generator of its own, so that drawing more here does not move what is drawn there.
    public mutating func fork() -> SeededRandom { SeededRandom(seed: next()) }

    public static func == (a: SeededRandom, b: SeededRandom) -> Bool { a.state == b.state }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(state.0)
        hasher.combine(state.1)
        hasher.combine(state.2)
        hasher.combine(state.3)
    }
}

/// How long something takes: at least `least`, mostly not much more than `usual` beyond it, and now and
/// then very long.
public struct Delay: Hashable, Sendable, CustomStringConvertible {
    public var least: TimeSpan
    public var usual: TimeSpan
    /// How often a delay is drawn from up to `spike` instead, in parts per million.
    public var spikesPPM: UInt64
    public var spike: TimeSpan

    public init(
        least: TimeSpan, usual: TimeSpan = .zero, spikesPPM: UInt64 = 0, spike: TimeSpan = .zero
    ) {
        self.least = least
        self.usual = usual
        self.spikesPPM = spikesPPM
        self.spike = spike
    }

    /// The same on a good day.
    var withoutSpikes: Delay { Delay(least: least, usual: usual) }

    public func drawn(from random: inout SeededRandom) -> TimeSpan {
        if random.chance(spikesPPM) {
            return TimeSpan(nanoseconds: least.nanoseconds + random.below(spike.nanoseconds + 1))
        }
        // The smaller of two draws, doubled: short delays are likelier than long ones.
        let a = random.below(2 * usual.nanoseconds + 1)
        let b = random.below(2 * usual.nanoseconds + 1)
        return TimeSpan(nanoseconds: least.nanoseconds + min(a, b))
    }

    public var description: String {
        let spikes = spikesPPM == 0 ? "" : ", \(spikesPPM) ppm up to \(spike)"
        return "\(least.nanoseconds / 1000)us+~\(usual.nanoseconds / 1000)us\(spikes)"
    }
}
