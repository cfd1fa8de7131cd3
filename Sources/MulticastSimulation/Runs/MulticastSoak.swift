import Automata
import Multicast
import Simulation

/// A long run of causal multicast over a network that loses and reorders, with senders that always have something to
/// say: what is held must stay within the windows however long it goes on.
struct MulticastSoak {
    static let members = 3
    static let window = 32

    private(set) var delivered = 0
    private(set) var refusals = 0
    private(set) var mostHeld = 0
    private(set) var mostOnTheirWay = 0
    /// Everybody has delivered everything, in the order of each sender.
    private(set) var isComplete = true

    /// `multicasts`: over all members.
    init(multicasts: Int, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let names = (1...Self.members).map { ProcessID(UInt64($0)) }
        var cores = names.map { CausalMulticast(process: $0, group: names, window: Self.window) }
        var pending: [(message: MulticastMessage, from: Int, to: Int)] = []
        var left = names.indices.map { multicasts / Self.members + ($0 < multicasts % Self.members ? 1 : 0) }
        let wanted = left
        var counts = names.map { _ in names.map { _ in 0 } }
        var outputs: [ReliableMulticast.Output] = []
        var idle = 0
        while counts.contains(where: { $0 != wanted }), idle < 10_000 {
            let before = delivered
            for index in names.indices {
                outputs.removeAll(keepingCapacity: true)
                if left[index] > 0 { cores[index].step(.multicast(Payload([7])), at: .zero, into: &outputs) }
                let isRefused = outputs.contains { if case .refuse = $0 { true } else { false } }
                if isRefused { refusals += 1 } else if left[index] > 0 { left[index] -= 1 }
                if random.chance(250_000) { cores[index].step(.timerFired, at: .zero, into: &outputs) }
                // The network keeps up: about half of what is on its way arrives.
                for _ in 0..<max(4, pending.count / 2) {
                    guard let place = pending.isEmpty ? nil : random.index(min(pending.count, 16)) else {
                        break
                    }
                    pending.swapAt(place, pending.count - 1)
                    let next = pending.removeLast()
                    if random.chance(50_000) { continue }
                    carryOut(outputs, from: index, &pending, &counts)
                    outputs.removeAll(keepingCapacity: true)
                    cores[next.to].step(
                        .received(next.message, from: names[next.from]), at: .zero, into: &outputs)
                    carryOut(outputs, from: next.to, &pending, &counts)
                    outputs.removeAll(keepingCapacity: true)
                    mostHeld = max(mostHeld, cores[next.to].heldCount)
                }
                carryOut(outputs, from: index, &pending, &counts)
            }
            mostOnTheirWay = max(mostOnTheirWay, pending.count)
            idle = delivered == before ? idle + 1 : 0
        }
        isComplete = isComplete && counts.allSatisfy { $0 == wanted }
    }

    private mutating func carryOut(
        _ outputs: [ReliableMulticast.Output], from index: Int,
        _ pending: inout [(message: MulticastMessage, from: Int, to: Int)], _ counts: inout [[Int]]
    ) {
        for output in outputs {
            switch output {
            case .send(let message, let receiver):
                pending.append((message, index, Int(receiver.rawValue) - 1))
            case .deliver(let id, _):
                let sender = Int(id.sender.rawValue) - 1
                counts[index][sender] += 1
                if counts[index][sender] != Int(id.number) { isComplete = false }
                delivered += 1
            case .setTimer, .refuse, .ready: break
            }
        }
    }
}
