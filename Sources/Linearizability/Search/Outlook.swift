/// Which answers are still to come, and which operations may lead to them: what a search looks at before it enters a
/// configuration, so that it leaves at once those from which an answer that was given never comes.
///
/// The answers that are looked at are those that come first. Before an operation returns only what was invoked
/// before that return can take effect, and of that only what has not done so yet.
struct Outlook<Object: SequentialObject> {
    /// So many answers are looked at. One alone leaves much to be tried in vain; more than a few cost more than they
    /// spare.
    private static var depth: Int { 2 }

    /// Rings of operations by index; the last place is where a ring begins and ends. Of what tells something in the
    /// order of returns, of what changes something in the order of invocations.
    private var telling: Ring
    private var changing: Ring

    init(_ operations: [Operation<Object>]) {
        telling = Ring(
            operations.indices.filter {
                operations[$0].answer != nil && operations[$0].returned != nil
                    && Object.tells(operations[$0].call)
            }.sorted { operations[$0].returned ?? 0 < operations[$1].returned ?? 0 }, of: operations.count)
        // Where nothing tells anything, nobody asks.
        changing = Ring(
            telling.isEmpty
                ? []
                : operations.indices.filter { !Object.isObservation(operations[$0].call) }
                    .sorted { operations[$0].invoked < operations[$1].invoked }, of: operations.count)
    }

    mutating func take(_ index: Int) {
        telling.unlink(index)
        changing.unlink(index)
    }

    mutating func takeBack(_ index: Int) {
        changing.relink(index)
        telling.relink(index)
    }

    /// Whether one of the next answers can no longer come once `index` has taken effect and left `object`.
    func isHopeless(_ object: Object, having index: Int, _ operations: [Operation<Object>]) -> Bool {
        var looked = 0
        var asked = telling.first
        while asked != telling.end, looked < Self.depth {
            defer { asked = telling.next(asked) }
            if asked == index { continue }
            looked += 1
            if Object.mayLead(from: object, to: operations[asked]) { continue }
            var change = changing.first
            var isHopeful = false
            while change != changing.end,
                operations[change].invoked < operations[asked].returned ?? .max
            {
                if change != index, change != asked,
                    Object.mayLead(by: operations[change].call, to: operations[asked])
                {
                    isHopeful = true
                    break
                }
                change = changing.next(change)
            }
            if !isHopeful { return true }
        }
        return false
    }
}

/// Numbers in an order, of which any can be left out and, in the opposite order, taken in again.
private struct Ring {
    private var following: [Int]
    private var preceding: [Int]
    /// Where the ring begins and ends.
    let end: Int

    /// `count` is above every member.
    init(_ members: [Int], of count: Int) {
        end = count
        // Who is not a member is a ring of its own.
        following = Array(0...count)
        preceding = following
        var last = end
        for member in members {
            following[last] = member
            preceding[member] = last
            last = member
        }
        following[last] = end
        preceding[end] = last
    }

    var isEmpty: Bool { following[end] == end }
    var first: Int { following[end] }
    func next(_ member: Int) -> Int { following[member] }

    mutating func unlink(_ member: Int) {
        following[preceding[member]] = following[member]
        preceding[following[member]] = preceding[member]
    }

    mutating func relink(_ member: Int) {
        following[preceding[member]] = member
        preceding[following[member]] = member
    }
}
