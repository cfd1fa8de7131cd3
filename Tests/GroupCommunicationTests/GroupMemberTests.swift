import Automata
import Multicast
import Simulation
import Testing

@testable import GroupCommunication

/// A group whose messages are carried at once, but for those to and from processes that are cut off.
private struct Town {
    var members: [ProcessID: GroupMember] = [:]
    var cutOff: Set<ProcessID> = []
    var delivered: [ProcessID: [String]] = [:]
    var views: [ProcessID: [View]] = [:]
    var stopped: [ProcessID: GroupMember.Reason] = [:]
    var refused: [String] = []
    private var pending: [(from: ProcessID, to: ProcessID, message: GroupMessage)] = []

    mutating func give(_ input: GroupMember.Input, to process: ProcessID) {
        step(process, input)
        settle()
    }

    mutating func tick() {
        for process in members.keys.sorted() { give(.timerFired, to: process) }
    }

    /// Whatever is on its way arrives, and nothing that would follow later.
    private mutating func settle() {
        while !pending.isEmpty {
            let next = pending.removeFirst()
            if cutOff.contains(next.from) || cutOff.contains(next.to) { continue }
            step(next.to, .received(next.message, from: next.from))
        }
    }

    private mutating func step(_ process: ProcessID, _ input: GroupMember.Input) {
        var outputs: [GroupMember.Output] = []
        members[process]?.step(input, at: .zero, into: &outputs)
        for output in outputs {
            switch output {
            case .send(let message, let receiver): pending.append((process, receiver, message))
            case .deliver(_, let payload): delivered[process, default: []].append(payload.description)
            case .install(let view): views[process, default: []].append(view)
            case .stop(let reason): stopped[process] = reason
            case .refuse(let payload): refused.append(payload.description)
            case .setTimer, .ready: break
            }
        }
    }
}

@Suite("Group members") struct GroupMemberTests {
    private let names = (1...5).map { ProcessID(UInt64($0)) }

    private func town(_ count: Int, _ settings: GroupMember.Settings = .init()) -> Town {
        var town = Town()
        let founders = Array(names.prefix(count))
        for name in founders {
            town.members[name] = GroupMember(process: name, founders: founders, settings: settings)
        }
        for name in founders { town.give(.start, to: name) }
        return town
    }

    @Test("a member that is suspected is left behind, and the others go on")
    func crash() {
        var town = town(3)
        town.cutOff = [names[2]]
        town.give(.suspected(names[2]), to: names[0])
        #expect(town.views[names[0]]?.last == View(number: 2, members: [names[0], names[1]]))
        #expect(town.views[names[1]] == town.views[names[0]])
        town.give(.multicast(Payload("x")), to: names[1])
        #expect(town.delivered[names[0]] == ["x"])
        // It hears of it when it can be reached again.
        town.cutOff = []
        town.give(.timerFired, to: names[2])
        #expect(town.stopped[names[2]] == .excluded)
    }

    @Test("a minority waits, and so does one half without the first; a half with the first goes on")
    func minority() {
        var pair = town(2)
        pair.cutOff = [names[0]]
        pair.give(.suspected(names[0]), to: names[1])
        pair.tick()
        #expect(pair.views[names[1]]?.count == 1)
        var other = town(2)
        other.cutOff = [names[1]]
        other.give(.suspected(names[1]), to: names[0])
        #expect(other.views[names[0]]?.last == View(number: 2, members: [names[0]]))
    }

    @Test("who joins is the last, hears what is said from then on, and leads nobody")
    func join() {
        var town = town(3)
        let late = ProcessID(0)
        town.give(.multicast(Payload("before")), to: names[0])
        town.members[late] = GroupMember(process: late, contacts: [names[2]])
        town.give(.start, to: late)
        #expect(town.views[late] == [View(number: 2, members: names.prefix(3) + [late])])
        town.give(.multicast(Payload("after")), to: late)
        #expect(town.delivered[late] == ["after"] && town.delivered[names[0]] == ["before", "after"])
    }

    @Test("who leaves is told, also the first; what it said is delivered")
    func leave() {
        var town = town(3)
        town.give(.multicast(Payload("bye")), to: names[0])
        town.give(.leave, to: names[0])
        town.tick()
        #expect(town.stopped == [names[0]: .left])
        #expect(town.views[names[1]]?.last == View(number: 2, members: [names[1], names[2]]))
        #expect(town.delivered[names[2]] == ["bye"])
        town.give(.multicast(Payload("again")), to: names[0])
        #expect(town.refused == ["again"])
    }

    @Test("what only one had is delivered by all before the next view", arguments: MulticastOrder.allCases)
    func flush(order: MulticastOrder) {
        var town = town(4, .init(order: order))
        // Only the second hears of it before its sender is gone.
        town.cutOff = [names[0], names[2]]
        town.give(.multicast(Payload("last words")), to: names[3])
        town.cutOff = [names[3]]
        #expect(town.delivered[names[0]] == nil)
        town.give(.suspected(names[3]), to: names[0])
        for name in names.prefix(3) {
            #expect(town.delivered[name] == ["last words"] && town.views[name]?.count == 2)
        }
    }

    @Test("the second takes over when the first is gone in the midst of a change")
    func takeOver() {
        var town = town(3)
        var outputs: [GroupMember.Output] = []
        town.members[names[0]]?.step(.suspected(names[2]), at: .zero, into: &outputs)
        // Its call to stop reaches the second only.
        town.cutOff = [names[0], names[2]]
        town.give(.received(.wedge(1), from: names[0]), to: names[1])
        #expect(town.members[names[1]]?.isChanging == true)
        town.give(.multicast(Payload("no")), to: names[1])
        #expect(town.refused == ["no"])
        town.cutOff = [names[0]]
        town.give(.suspected(names[0]), to: names[1])
        #expect(town.views[names[2]]?.last == View(number: 2, members: [names[1], names[2]]))
    }

    @Test("a sequencer that is gone takes nothing with it, and the next begins afresh")
    func sequencer() {
        var town = town(3, .init(order: .sequencer))
        town.give(.multicast(Payload("a")), to: names[1])
        town.cutOff = [names[0]]
        // Without a place so far.
        town.give(.multicast(Payload("b")), to: names[1])
        town.give(.multicast(Payload("c")), to: names[2])
        town.give(.suspected(names[0]), to: names[1])
        town.give(.multicast(Payload("d")), to: names[2])
        #expect(town.delivered[names[1]] == ["a", "b", "c", "d"])
        #expect(town.delivered[names[2]] == town.delivered[names[1]])
    }

    @Test("a stale message is answered with the view that it is of, which hurts nobody")
    func stale() {
        var town = town(3)
        town.cutOff = [names[2]]
        town.give(.suspected(names[2]), to: names[0])
        town.cutOff = []
        town.give(.received(.presence(0), from: names[1]), to: names[0])
        #expect(town.stopped.isEmpty)
    }

    @Test("a window that is full refuses")
    func window() {
        var town = town(3, .init(order: .agreed, window: 2))
        town.cutOff = [names[1], names[2]]
        for word in ["a", "b", "c"] { town.give(.multicast(Payload(word)), to: names[0]) }
        #expect(town.refused == ["c"])
        #expect((town.members[names[0]]?.heldCount ?? 0) <= 8)
    }

    @Test(
        "whatever a broken peer says, a member goes on", arguments: MulticastOrder.allCases)
    func nonsense(order: MulticastOrder) {
        var random = SeededRandom(seed: 17)
        func number() -> UInt64 { random.element([0, 1, 2, 9, .max]) }
        func payload() -> Payload {
            Payload((0..<random.number(in: 0...20)).map { _ in UInt8(random.below(5)) })
        }
        func message() -> GroupMessage {
            let id = MulticastID(sender: ProcessID(random.below(5)), number: number())
            let view = random.element([0, 1, 2, .max] as [UInt64])
            switch random.below(9) {
            case 0: return .multicast(view, .data(id, payload()))
            case 1: return .multicast(view, .digest((0..<random.number(in: 0...4)).map { _ in number() }))
            case 2: return .presence(view)
            case 3: return .join(ProcessID(random.below(40)))
            case 4: return .leave(view, ProcessID(random.below(9)))
            case 5: return .wedge(view)
            case 6:
                let counts = (0..<random.number(in: 2...4)).map { _ in number() }
                return .report(view, Holdings(counts: counts, held: [.init(id: id, payload: payload())]))
            case 7: return .install(view, payload())
            default: return .consensus(view, .chosen(payload()))
            }
        }
        for _ in 0..<40 {
            var member = GroupMember(
                process: names[0], founders: Array(names.prefix(3)), settings: .init(order: order, window: 8))
            for _ in 0..<500 {
                var outputs: [GroupMember.Output] = []
                member.step(
                    .received(message(), from: random.element([names[1], names[2], names[4]])), at: .zero,
                    into: &outputs)
            }
            #expect(member.view == View(founders: Array(names.prefix(3))))
        }
    }

    @Test("what follows a view goes over the wire and back, and what does not is none")
    func wire() {
        let view = View(founders: Array(names.prefix(3)))
        let one = MulticastID(sender: names[1], number: 2)
        let reports = [
            (names[0], Holdings(counts: [1, 1, 0], held: [])),
            (names[2], Holdings(counts: [1, 2, 0], held: [.init(id: one, payload: Payload("held"))])),
        ].map { (member: $0.0, holdings: $0.1) }
        let succession = Succession(after: view, reports: reports, joining: [names[4]], leaving: [names[2]])
        #expect(succession.next == View(number: 2, members: [names[0], names[4]]))
        #expect(succession.left == [names[2]] && succession.holdings.counts == [1, 2, 0])
        #expect(succession.holdings.held.map(\.id) == [one])
        #expect(Succession(succession.payload) == succession)
        // A view that names somebody twice, and one that no other could follow, are none.
        let second = [UInt8](repeating: 0, count: 7) + [1]
        var twice = succession.payload.bytes
        twice.replaceSubrange(24..<32, with: second)
        #expect(Array(twice[16..<24]) == second && Succession(Payload(twice)) == nil)
        var last = succession.payload.bytes
        last.replaceSubrange(0..<8, with: [UInt8](repeating: 255, count: 8))
        #expect(Succession(Payload(last)) == nil)
        var random = SeededRandom(seed: 3)
        for _ in 0..<5000 {
            var bytes = succession.payload.bytes
            if random.coin() { bytes.removeLast(random.number(in: 1...bytes.count)) }
            if !bytes.isEmpty { bytes[random.index(bytes.count)] ^= UInt8(random.below(255) + 1) }
            if let read = Succession(Payload(bytes)) { #expect(read.payload == Payload(bytes)) }
        }
    }
}
