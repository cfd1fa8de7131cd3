import Automata
import Multicast
import Simulation

/// A long run over a network that loses and reorders, with senders that always have something to say: what is held
/// must stay within the windows however long it goes on.
struct MulticastSoak {
    static let members = 3
    static let window = 32
    /// What one member may hold, whatever the kind: for each sender a window of what others may lack, and no more than
    /// three windows of words of the order, copies for others, and what waits for its turn.
    static let bound = 4 * members * window

    private(set) var delivered = 0
    private(set) var refusals = 0
    private(set) var mostHeld = 0
    private(set) var mostOnTheirWay = 0
    /// Everybody has delivered everything, in the order of each sender.
    private(set) var isComplete = true

    private var random: SeededRandom
    private let names: [ProcessID]
    private var members: [SoakedMember]
    private var pending: [(message: SoakedMember.Message, from: Int, to: Int)] = []
    private var counts: [[Int]]

    /// `multicasts`: over all members.
    init(_ kind: MulticastKind, multicasts: Int, seed: UInt64) {
        random = SeededRandom(seed: seed)
        let names = (1...Self.members).map { ProcessID(UInt64($0)) }
        self.names = names
        members = names.map { SoakedMember(kind, $0, names, window: Self.window) }
        counts = names.map { _ in names.map { _ in 0 } }
        var left = names.indices.map { multicasts / Self.members + ($0 < multicasts % Self.members ? 1 : 0) }
        let wanted = left
        var idle = 0
        while counts.contains(where: { $0 != wanted }), idle < 10_000 {
            let before = delivered
            for index in names.indices {
                if left[index] > 0 {
                    let isTaken = step(index, .multicast)
                    if isTaken { left[index] -= 1 } else { refusals += 1 }
                }
                if random.chance(250_000) { _ = step(index, .tick) }
                // The network keeps up: about half of what is on its way arrives.
                for _ in 0..<max(4, pending.count / 2) where !pending.isEmpty { deliverSome() }
            }
            mostOnTheirWay = max(mostOnTheirWay, pending.count)
            idle = delivered == before ? idle + 1 : 0
        }
        isComplete = isComplete && counts.allSatisfy { $0 == wanted }
    }

    /// One of those that have waited longest.
    private mutating func deliverSome() {
        let place = random.index(min(pending.count, 16))
        pending.swapAt(place, pending.count - 1)
        let next = pending.removeLast()
        if random.chance(50_000) { return }
        _ = step(next.to, .received(next.message, from: names[next.from]))
    }

    /// False where a multicast was refused.
    private mutating func step(_ index: Int, _ input: SoakedMember.Input) -> Bool {
        var isTaken = true
        for effect in members[index].step(input) {
            switch effect {
            case .send(let message, let receiver):
                pending.append((message, index, Int(receiver.rawValue) - 1))
            case .deliver(let id):
                let sender = Int(id.sender.rawValue) - 1
                counts[index][sender] += 1
                if counts[index][sender] != Int(id.number) { isComplete = false }
                delivered += 1
            case .refuse: isTaken = false
            }
        }
        mostHeld = max(mostHeld, members[index].heldCount)
        return isTaken
    }
}
