import Automata
import ModelChecking

@testable import Multicast

/// Causal order among three processes over a network that delivers in any order: every schedule.
struct CausalModel: Model {
    struct Transit: Hashable, Sendable {
        let id: MulticastID
        let stamp: CausalOrder.Stamp
        let to: Int
    }

    struct State: Hashable, Sendable {
        var orders: [CausalOrder]
        var unsent: [Int]
        var transits: Set<Transit> = []
        /// By process, what it delivered, its own among it.
        var logs: [[MulticastID]]
        /// What its sender had delivered, by multicast in the order of sending.
        var causes: [MulticastID: [MulticastID]] = [:]
    }

    enum Action: Hashable, Sendable {
        case multicast(Int)
        case receive(Transit)
    }

    let sends: [Int]
    let flaw: CausalOrder.Flaw?
    private let names: [ProcessID]

    init(sends: [Int], flaw: CausalOrder.Flaw? = nil) {
        self.sends = sends
        self.flaw = flaw
        names = sends.indices.map { ProcessID(UInt64($0 + 1)) }
    }

    func initialStates() -> [State] {
        let orders = names.map { CausalOrder(process: $0, group: names, limit: 100, flaw: flaw) }
        return [State(orders: orders, unsent: sends, logs: names.map { _ in [] })]
    }

    func addActions(in state: State, to actions: inout [Action]) {
        for index in names.indices where state.unsent[index] > 0 { actions.append(.multicast(index)) }
        let order = { (transit: Transit) in (transit.id, transit.to) }
        actions += state.transits.sorted { order($0) < order($1) }.map { .receive($0) }
    }

    func successor(of state: State, by action: Action) -> State? {
        var state = state
        switch action {
        case .multicast(let index):
            state.unsent[index] -= 1
            let stamp = state.orders[index].stampNext()
            let id = MulticastID(sender: names[index], number: stamp.number)
            state.causes[id] = state.logs[index]
            state.logs[index].append(id)
            for other in names.indices where other != index {
                state.transits.insert(Transit(id: id, stamp: stamp, to: other))
            }
        case .receive(let transit):
            state.transits.remove(transit)
            var deliveries: [CausalOrder.Delivery] = []
            _ = state.orders[transit.to].receive(
                Payload([]), transit.stamp, from: transit.id.sender, into: &deliveries)
            state.logs[transit.to] += deliveries.map(\.id)
        }
        return state
    }

    /// States are kept whole, so that this only finds them.
    func fingerprint(of state: State) -> Fingerprint {
        Fingerprint(low: UInt64(truncatingIfNeeded: state.hashValue), high: 0)
    }

    var properties: [Property<State>] {
        let all = sends.reduce(0, +)
        return [
            .always("causes come first") { state in
                state.logs.allSatisfy { log in
                    log.indices.allSatisfy { place in
                        (state.causes[log[place]] ?? []).allSatisfy { log[..<place].contains($0) }
                    }
                }
            },
            .always("nothing is delivered twice") { $0.logs.allSatisfy { Set($0).count == $0.count } },
            .always("in the end everybody has delivered everything") { state in
                guard state.transits.isEmpty, state.unsent.allSatisfy({ $0 == 0 }) else { return true }
                return state.logs.allSatisfy { $0.count == all }
            },
        ]
    }

    func describe(_ action: Action, in state: State) -> String {
        switch action {
        case .multicast(let index): "\(names[index]) multicasts its next"
        case .receive(let transit): "\(names[transit.to]) receives \(transit.id)"
        }
    }

    func describe(_ state: State) -> String { "\(state.logs)" }
}
