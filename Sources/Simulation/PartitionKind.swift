/// Ways in which links fail together.
public enum PartitionKind: CaseIterable, Hashable, Sendable {
    /// Two groups that do not hear each other.
    case groups
    /// One process that neither hears nor is heard.
    case isolated
    /// One process that hears and is not heard.
    case mute
    /// One process that is heard and does not hear.
    case deaf
    /// Every direction of every link fails or not on its own.
    case scattered
    /// All others hear one process only, and it hears all.
    case star
    /// Every process hears its neighbours only.
    case chain

    /// Which directions fail, among processes named by index.
    func cuts(among count: Int, _ random: inout SeededRandom) -> [(from: Int, to: Int)] {
        let order = random.shuffled(Array(0..<count))
        let chosen = order[0]
        let split = count < 2 ? 1 : random.number(in: 1...count - 1)
        func rank(_ process: Int) -> Int { order.firstIndex(of: process) ?? 0 }
        var cuts: [(Int, Int)] = []
        for from in 0..<count {
            for to in 0..<count where from != to {
                let fails =
                    switch self {
                    case .groups: (rank(from) < split) != (rank(to) < split)
                    case .isolated: from == chosen || to == chosen
                    case .mute: from == chosen
                    case .deaf: to == chosen
                    case .scattered: random.chance(400_000)
                    case .star: from != chosen && to != chosen
                    case .chain: abs(rank(from) - rank(to)) != 1
                    }
                if fails { cuts.append((from, to)) }
            }
        }
        return cuts
    }
}
