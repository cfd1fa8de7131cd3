import Automata
import ModelChecking

@testable import Multicast

/// An order among three processes over streams that each receives at its own pace; one may crash at any moment, and
/// at any moment the view ends for those that are left: every schedule.
struct ViewOrderModel: Model {
    struct State: Hashable, Sendable {
        var orders: [ViewOrder]
        var unsent: [Int]
        /// By sender, what it multicast, the order's own words among it.
        var streams: [[Payload]]
        /// By process and sender: how much came, and how much of that was handed to the order.
        var received: [[Int]]
        var taken: [[Int]]
        var logs: [[MulticastID]]
        /// What its sender had delivered.
        var causes: [MulticastID: [MulticastID]] = [:]
        var crashed: Int?
        var isOver = false
    }

    enum Action: Hashable, Sendable {
        case multicast(Int)
        case receive(Int, from: Int)
        /// What a majority has received is handed up where streams are uniform.
        case take(Int, from: Int)
        case crash(Int)
        case end
    }

    let order: MulticastOrder
    let isUniform: Bool
    let sends: [Int]
    var flaw: SequencerOrder.Flaw?
    /// Nobody is given what only others had when the view ends.
    var skipsFlush = false
    /// Where streams are uniform everybody learns at once what a majority has, which makes fewer states.
    private var isEager: Bool { isUniform && order == .agreed }
    private let names = (1...3).map { ProcessID(UInt64($0)) }

    init(
        _ order: MulticastOrder, isUniform: Bool, sends: [Int], flaw: SequencerOrder.Flaw? = nil,
        skipsFlush: Bool = false
    ) {
        self.order = order
        self.isUniform = isUniform
        self.sends = sends
        self.flaw = flaw
        self.skipsFlush = skipsFlush
    }

    func initialStates() -> [State] {
        let orders = names.map { ViewOrder(order, process: $0, group: names, flaw: flaw) }
        let none = names.map { _ in names.map { _ in 0 } }
        return [
            State(
                orders: orders, unsent: sends, streams: names.map { _ in [] }, received: none, taken: none,
                logs: names.map { _ in [] })
        ]
    }

    func addActions(in state: State, to actions: inout [Action]) {
        guard !state.isOver else { return }
        for process in names.indices where process != state.crashed {
            if state.unsent[process] > 0 { actions.append(.multicast(process)) }
            for sender in names.indices {
                if state.received[process][sender] < state.streams[sender].count {
                    actions.append(.receive(process, from: sender))
                }
                if !isEager, mayTake(process, sender, state) { actions.append(.take(process, from: sender)) }
            }
            if state.crashed == nil { actions.append(.crash(process)) }
        }
        actions.append(.end)
    }

    private func mayTake(_ process: Int, _ sender: Int, _ state: State) -> Bool {
        let next = state.taken[process][sender] + 1
        return state.received[process][sender] >= next
            && (!isUniform || names.indices.count { state.received[$0][sender] >= next } >= 2)
    }

    func successor(of state: State, by action: Action) -> State? {
        var state = state
        switch action {
        case .multicast(let process):
            state.unsent[process] -= 1
            let number = UInt64(state.causes.keys.count { $0.sender == names[process] }) + 1
            state.causes[MulticastID(sender: names[process], number: number)] = state.logs[process]
            send(state.orders[process].wrap(Payload([])), process, &state)
        case .receive(let process, let sender):
            state.received[process][sender] += 1
            if !isUniform { take(process, sender, &state) }
            if isEager { takeAll(&state) }
        case .take(let process, let sender): take(process, sender, &state)
        case .crash(let process): state.crashed = process
        case .end: end(&state)
        }
        return state
    }

    /// A process has its own at once.
    private func send(_ item: Payload, _ process: Int, _ state: inout State) {
        state.streams[process].append(item)
        state.received[process][process] += 1
        if !isUniform { take(process, process, &state) }
    }

    private func take(_ process: Int, _ sender: Int, _ state: inout State) {
        hand(up: process, sender, &state)
        while let words = state.orders[process].next() { send(words, process, &state) }
    }

    private func takeAll(_ state: inout State) {
        for process in names.indices where process != state.crashed {
            for sender in names.indices {
                while mayTake(process, sender, state) { take(process, sender, &state) }
            }
        }
    }

    private func hand(up process: Int, _ sender: Int, _ state: inout State) {
        let item = state.streams[sender][state.taken[process][sender]]
        state.taken[process][sender] += 1
        var deliveries: [OrderedMulticast] = []
        state.orders[process].receive(item, from: names[sender], into: &deliveries)
        state.logs[process] += deliveries.map(\.id)
    }

    private func end(_ state: inout State) {
        state.isOver = true
        let staying = names.indices.filter { $0 != state.crashed }
        for process in staying {
            for sender in names.indices {
                let most = staying.map { state.received[$0][sender] }.max() ?? 0
                let all = skipsFlush ? state.received[process][sender] : most
                while state.taken[process][sender] < all { hand(up: process, sender, &state) }
            }
            var deliveries: [OrderedMulticast] = []
            state.orders[process].end(into: &deliveries)
            state.logs[process] += deliveries.map(\.id)
        }
    }

    /// States are kept whole, so that this only finds them.
    func fingerprint(of state: State) -> Fingerprint {
        Fingerprint(low: UInt64(truncatingIfNeeded: state.hashValue), high: 0)
    }

    private var isTotal: Bool { order == .sequencer || order == .agreed }

    var properties: [Property<State>] {
        var properties: [Property<State>] = [
            .always("nothing is delivered twice") { $0.logs.allSatisfy { Set($0).count == $0.count } },
            .always("those that stay have delivered the same, their own among it") { state in
                guard state.isOver else { return true }
                let staying = names.indices.filter { $0 != state.crashed }
                let all = Set(state.logs[staying[0]])
                let own = state.causes.keys.filter { id in staying.contains { names[$0] == id.sender } }
                return staying.allSatisfy { Set(state.logs[$0]) == all } && own.allSatisfy(all.contains)
                    && (!isUniform || state.logs.allSatisfy { all.isSuperset(of: $0) })
            },
            .always("the order of each sender") { state in
                state.logs.allSatisfy { log in
                    names.allSatisfy { name in
                        zip(log.filter { $0.sender == name }, 1...).allSatisfy { $0.number == UInt64($1) }
                    }
                }
            },
            .sometimes("everything is delivered before the view ends") { state in
                !state.isOver && state.logs.allSatisfy { $0.count == sends.reduce(0, +) }
            },
        ]
        if order == .causal || isTotal && isUniform {
            properties.append(
                .always("causes come first") { state in
                    state.logs.allSatisfy { log in
                        log.indices.allSatisfy { place in
                            (state.causes[log[place]] ?? []).allSatisfy { log[..<place].contains($0) }
                        }
                    }
                })
        }
        if isTotal {
            properties.append(
                .always("one order") { state in
                    let counting = names.indices.filter { isUniform || $0 != state.crashed }
                    return counting.allSatisfy { one in
                        counting.allSatisfy { other in
                            let (a, b) = (state.logs[one], state.logs[other])
                            return a.filter(b.contains) == b.filter(a.contains)
                        }
                    }
                })
        }
        return properties
    }

    func describe(_ action: Action, in state: State) -> String {
        switch action {
        case .multicast(let process): "\(names[process]) multicasts"
        case .receive(let process, let sender): "\(names[process]) receives the next of \(names[sender])"
        case .take(let process, let sender):
            "\(names[process]) learns that a majority has the next of \(names[sender])"
        case .crash(let process): "\(names[process]) crashes"
        case .end: "the view ends"
        }
    }

    func describe(_ state: State) -> String { "\(state.logs)" }
}
