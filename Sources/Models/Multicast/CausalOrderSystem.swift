import Automata
import ModelChecking
import Multicast

/// The production's `CausalOrder` at every process over a network that delivers once and in any order.
struct CausalOrderSystem: Sendable {
    /// By process.
    var multicasts = [2, 1, 0]
    var flaw: CausalOrder.Flaw?

    func model() -> ProcessSystem<CausalProcess> {
        let names = multicasts.indices.map { ProcessID(UInt64($0) + 1) }
        var options = SystemOptions()
        options.network = .unordered
        options.durability = .withStep
        let processes = zip(names, multicasts).map { name, count in
            let order = CausalOrder(process: name, group: names, flaw: flaw)
            return (name, CausalProcess(order, multicasts: count))
        }
        let all = multicasts.reduce(0, +)
        var words = SystemWords<CausalProcess>()
        words.request = { _ in "multicasts its next" }
        words.message = { "multicast \($0.number)" }
        words.process = { "delivered [\($0.log.map(\.description).joined(separator: " "))]" }
        return ProcessSystem(
            processes, options,
            properties: [
                .always("integrity") { view in
                    view.processes.indices.allSatisfy { place in
                        let log = view.process(at: place).log
                        return Set(log).count == log.count
                    }
                },
                .always("causal order", Self.isCausal),
                .always("everything is delivered in the end") { view in
                    let isOver =
                        view.messages.isEmpty
                        && view.processes.indices.allSatisfy { view.process(at: $0).requests.isEmpty }
                    return !isOver
                        || view.processes.indices.allSatisfy { view.process(at: $0).log.count == all }
                },
            ], words: words)
    }

    private static func isCausal(_ view: SystemView<CausalProcess>) -> Bool {
        view.processes.indices.allSatisfy { place in
            let log = view.process(at: place).log
            return log.indices.allSatisfy { at in
                let causes = view[log[at].sender].causes[Int(log[at].number) - 1]
                return causes.allSatisfy { log[..<at].contains($0) }
            }
        }
    }
}

struct CausalProcess: CheckedProcess {
    typealias Message = CausalOrder.Stamp
    enum Request: Hashable, Sendable { case multicast }

    private var order: CausalOrder
    private var left: Int
    private(set) var log: [MulticastID] = []
    /// What had been delivered before each of this process's multicasts.
    private(set) var causes: [[MulticastID]] = []

    init(_ order: CausalOrder, multicasts: Int) {
        self.order = order
        left = multicasts
    }

    var requests: [Request] { left > 0 ? [.multicast] : [] }

    mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .requested(.multicast):
            left -= 1
            causes.append(log)
            let stamp = order.stampNext()
            log.append(MulticastID(sender: order.process, number: stamp.number))
            for other in order.group where other != order.process { outputs.append(.send(stamp, to: other)) }
        case .received(let stamp, let sender):
            var deliveries: [CausalOrder.Delivery] = []
            _ = order.receive(Payload([]), stamp, from: sender, into: &deliveries)
            log += deliveries.map(\.id)
        case .started, .timerFired, .durable: break
        }
    }
}
