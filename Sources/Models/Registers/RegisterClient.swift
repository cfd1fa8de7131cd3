/// What one client of a register has done: it puts once, then gets once.
///
/// One word holds its history: how far it is, what every other client had completed when it invoked its get,
/// and what the get returned. Its put was invoked when nobody had completed anything.
struct RegisterClient: Hashable, Sendable {
    enum Phase: UInt32 { case putting, getting, done }

    /// Clients of one model: two bits each say what was completed.
    static let most = 8

    private(set) var word: UInt32 = 0

    var phase: Phase { Phase(rawValue: word & 3)! }
    /// Operations that have returned.
    var completed: Int { Int(word & 3) }
    /// What the get returned, once it has.
    var result: Int { Int(word >> 18 & 0xFF) }

    /// The operations that `other` had completed when this client invoked its get.
    func completed(by other: Int) -> Int { Int(word >> (2 + 2 * UInt32(other)) & 3) }

    /// The put has returned, and the get is invoked when `others` have completed so much.
    mutating func invokeGet(_ others: [RegisterClient], except own: Int) {
        word = Phase.getting.rawValue
        for (index, other) in others.enumerated() where index != own {
            word |= UInt32(other.completed) << (2 + 2 * UInt32(index))
        }
    }

    mutating func finish(result: Int) { word = word & ~3 | Phase.done.rawValue | UInt32(result) << 18 }
}

/// Whether what clients have seen can be put into one order that respects real time, in which every get
/// returns what was put last. (Herlihy, Wing, Linearizability, TOPLAS 1990.) An operation in flight may have
/// taken effect or not.
struct RegisterHistory {
    let clients: [RegisterClient]
    /// The number of the first client, and so the value that it puts.
    let firstClient: Int

    var isLinearizable: Bool { search(value: initialValue, ordered: 0) }

    /// `ordered` has two bits for each client: how many of its operations have their place.
    private func search(value: Int, ordered: UInt32) -> Bool {
        var isComplete = true
        for index in clients.indices where count(ordered, index) < clients[index].completed {
            isComplete = false
        }
        if isComplete { return true }
        for (index, client) in clients.enumerated() {
            let after = ordered + 1 << (2 * UInt32(index))
            switch count(ordered, index) {
            case 0:
                if search(value: firstClient + index, ordered: after) { return true }
            case 1 where client.phase != .putting && isNext(client, index, ordered):
                // A get in flight changes nothing, so it needs no place.
                guard client.phase == .done, client.result == value else { continue }
                if search(value: value, ordered: after) { return true }
            default: continue
            }
        }
        return false
    }

    private func count(_ ordered: UInt32, _ index: Int) -> Int { Int(ordered >> (2 * UInt32(index)) & 3) }

    /// All that others had completed when the get was invoked has its place before it.
    private func isNext(_ client: RegisterClient, _ own: Int, _ ordered: UInt32) -> Bool {
        for other in clients.indices where other != own {
            if count(ordered, other) < client.completed(by: other) { return false }
        }
        return true
    }
}
