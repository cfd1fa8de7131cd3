import Linearizability
import Testing

/// The definition itself: some order of some of the operations, which keeps what came before what, explains every
/// answer. Tries all, so for small histories only.
private func hasExplanation<Object: SequentialObject>(_ operations: [Operation<Object>]) -> Bool {
    func extend(_ object: Object, _ left: [Operation<Object>]) -> Bool {
        if left.allSatisfy({ $0.returned == nil }) { return true }
        let firstReturn = left.compactMap(\.returned).min() ?? Int.max
        for index in left.indices where left[index].invoked < firstReturn {
            var next = object
            let answer = next.apply(left[index].call)
            if let observed = left[index].answer, observed != answer { continue }
            var rest = left
            rest.remove(at: index)
            if extend(next, rest) { return true }
        }
        return false
    }
    return extend(Object(), operations)
}

/// Numbers from a seed (Marsaglia's xorshift).
private struct Draw {
    var state: UInt64
    mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }
}

@Suite("The search against the definition") struct OracleTests {
    /// A history of up to seven operations: processes call at random, operations take effect at some moment between
    /// call and return or never, and now and then an answer is changed.
    private func history<Object: SequentialObject>(
        _ draw: inout Draw, calls: (inout Draw, Int) -> Object.Call, other: (inout Draw) -> Object.Answer
    ) -> [Operation<Object>] {
        var operations: [Operation<Object>] = []
        var object = Object()
        var pending: [(index: Int, hasHappened: Bool)] = []
        let count = 3 + draw.below(5)
        var time = 0
        while operations.count < count || !pending.isEmpty {
            time += 1
            let choice = draw.below(3)
            if choice == 0, operations.count < count, pending.count < 4 {
                pending.append((operations.count, false))
                operations.append(
                    Operation(calls(&draw, pending.count), answer: nil, invoked: time, returned: nil))
            } else if choice == 1, let place = pending.firstIndex(where: { !$0.hasHappened }) {
                let index = pending[place].index
                operations[index].answer = object.apply(operations[index].call)
                pending[place].hasHappened = true
            } else if !pending.isEmpty {
                let place = draw.below(pending.count)
                let (index, hasHappened) = pending[place]
                if !hasHappened || draw.below(6) == 0 {
                    // Nobody learns how it ended.
                    if operations.count == count || draw.below(4) == 0 {
                        operations[index].answer = nil
                        pending.remove(at: place)
                    }
                    continue
                }
                operations[index].returned = time
                if draw.below(8) == 0 { operations[index].answer = other(&draw) }
                pending.remove(at: place)
            }
        }
        return operations
    }

    private func compare<Object: SequentialObject>(
        _: Object.Type, seeds: ClosedRange<UInt64>, calls: (inout Draw, Int) -> Object.Call,
        other: (inout Draw) -> Object.Answer
    ) {
        var verdicts = (linearizable: 0, violated: 0)
        for seed in seeds {
            var draw = Draw(state: seed &* 0x9E37_79B9_7F4A_7C15)
            let operations: [Operation<Object>] = history(&draw, calls: calls, other: other)
            let expected = hasExplanation(operations)
            switch LinearizabilitySearch<Object>().run(operations) {
            case .linearizable(let order):
                verdicts.linearizable += 1
                #expect(expected, "seed \(seed): \(operations)")
                explains(order, operations, all: true)
            case .violated(let event, let order):
                verdicts.violated += 1
                #expect(!expected, "seed \(seed): \(operations)")
                // Before the event there is an explanation, with it there is none.
                #expect(hasExplanation(prefix(operations, before: event)))
                #expect(!hasExplanation(prefix(operations, before: event + 1)))
                explains(order, prefix(operations, before: event), all: true)
            case .boundReached: Issue.record("seed \(seed) reaches the bound")
            }
        }
        #expect(verdicts.linearizable > 100 && verdicts.violated > 100, "\(verdicts)")
    }

    private func prefix<Object>(_ operations: [Operation<Object>], before event: Int) -> [Operation<Object>] {
        operations.map { operation in
            var operation = operation
            if operation.returned.map({ $0 >= event }) == true {
                operation.returned = nil
                operation.answer = nil
            }
            return operation
        }.filter { $0.invoked < event }
    }

    private func explains<Object>(_ order: [Int], _ operations: [Operation<Object>], all: Bool) {
        var object = Object()
        #expect(Set(order).count == order.count)
        for (place, index) in order.enumerated() {
            guard operations.indices.contains(index) else { return }
            let answer = object.apply(operations[index].call)
            if let observed = operations[index].answer { #expect(observed == answer) }
            for later in order[(place + 1)...] where operations.indices.contains(later) {
                #expect((operations[later].returned ?? .max) > operations[index].invoked)
            }
        }
        for index in operations.indices where operations[index].returned != nil {
            #expect(order.contains(index))
        }
    }

    @Test("registers with compare-and-set")
    func registers() {
        compare(
            Register.self, seeds: 1...3000,
            calls: { draw, _ in
                switch draw.below(3) {
                case 0: .read
                case 1: .write("\(draw.below(3))")
                default: .compareAndSet(old: "\(draw.below(3))", new: "\(draw.below(3))")
                }
            }, other: { .value("\($0.below(3))") })
    }

    @Test("cells with put, append and get")
    func cells() {
        compare(
            KeyValueCell.self, seeds: 1...3000,
            calls: { draw, _ in
                switch draw.below(3) {
                case 0: .get
                case 1: .put("\(draw.below(2))")
                default: .append("\(draw.below(2))")
                }
            }, other: { .value("\($0.below(2))") })
    }

    @Test("queues")
    func queues() {
        compare(
            Queue.self, seeds: 1...3000,
            calls: { draw, _ in draw.below(2) == 0 ? .dequeue : .enqueue("\(draw.below(4))") },
            other: { .value($0.below(3) == 0 ? nil : "\($0.below(4))") })
    }

    @Test("locks")
    func locks() {
        compare(
            Lock.self, seeds: 1...3000,
            calls: { draw, process in
                draw.below(2) == 0 ? .acquire(process: process) : .release(process: process)
            },
            other: { $0.below(2) == 0 })
    }
}
