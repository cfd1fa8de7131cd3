import Automata
import Multicast

/// Multicasts in groups whose members are given once and for all, with what they promise.
enum StaticKind: String, CaseIterable {
    case bestEffort = "best-effort"
    case flooding
    case uniformFlooding = "uniform-flooding"
    case reliable, uniform, causal

    var isReliable: Bool { self != .bestEffort }
    var isUniform: Bool { self == .uniform || self == .uniformFlooding }
    var isCausal: Bool { self == .causal }
    var isFlooded: Bool { self == .bestEffort || self == .flooding || self == .uniformFlooding }

    var flooding: FloodingMulticast.Guarantee {
        switch self {
        case .bestEffort: .bestEffort
        case .uniformFlooding: .uniform
        default: .reliable
        }
    }

    /// `promising`: the promises that the run is held against, for the tests which show that they are not kept by
    /// something weaker.
    func run(
        seed: UInt64, multicasts: Int = 12, promising: StaticKind? = nil, keepsTrace: Bool = false
    ) -> RunTally {
        let kind = promising ?? self
        switch self {
        case .reliable, .uniform:
            return MulticastRun(kind, seed: seed, multicasts: multicasts, keepsTrace: keepsTrace) {
                ReliableMulticast(
                    process: $0, group: $1, guarantee: self == .uniform ? .uniform : .reliable, window: $2)
            }.tally
        case .causal:
            return MulticastRun(kind, seed: seed, multicasts: multicasts, keepsTrace: keepsTrace) {
                CausalMulticast(process: $0, group: $1, window: $2)
            }.tally
        case .bestEffort, .flooding, .uniformFlooding:
            return MulticastRun(kind, seed: seed, multicasts: multicasts, keepsTrace: keepsTrace) {
                FloodingMulticast(process: $0, group: $1, guarantee: flooding, window: $2)
            }.tally
        }
    }
}
