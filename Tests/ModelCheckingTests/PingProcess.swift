import Automata
import ModelChecking

/// A process for tests of systems: it counts what it received, keeps the count on its disk, and answers once
/// that is durable. One that is asked sends; one that has a timer sends when it fires.
struct PingProcess: CheckedProcess {
    enum Message: Hashable, Sendable {
        case ping(Int)
        case pong(Int)
    }
    enum Request: Hashable, Sendable { case begin }
    enum Timer: Hashable, Sendable { case again }

    let peer: ProcessID
    /// Pings that it sends by itself.
    var pings = 0
    /// Whether it forgets on a crash what it has made durable.
    var isForgetful = false
    var usesTimer = false
    private(set) var sent = 0
    /// The numbers of what it received, in that order.
    private(set) var received: [Int] = []
    private(set) var answered: [Int] = []

    var requests: [Request] { !usesTimer && sent < pings ? [.begin] : [] }

    mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .started:
            if usesTimer, sent < pings { outputs.append(.setTimer(.again)) }
        case .requested(.begin), .timerFired(.again):
            sent += 1
            outputs.append(.send(.ping(sent), to: peer))
            if usesTimer, sent < pings { outputs.append(.setTimer(.again)) }
        case .received(.ping(let number), let sender):
            received.append(number)
            outputs += [.persist(received), .sendWhenDurable(.pong(number), to: sender)]
        case .received(.pong(let number), _): answered.append(number)
        case .durable: break
        }
    }

    var initiallyDurable: [Int] { [] }

    func recovered(from durable: [Int]) -> PingProcess {
        var fresh = self
        if !isForgetful { fresh.received = durable }
        return fresh
    }

    init(peer: ProcessID, pings: Int = 0) {
        self.peer = peer
        self.pings = pings
    }
}

extension ProcessSystem<PingProcess> {
    static let (one, two) = (ProcessID(1), ProcessID(2))

    /// p1 sends `pings` to p2.
    static func pair(
        pings: Int, isForgetful: Bool = false, usesTimer: Bool = false,
        _ properties: [SystemProperty<PingProcess>] = [], fairness: [Fairness<SystemAction>] = [],
        _ change: (inout SystemOptions) -> Void = { _ in }
    ) -> ProcessSystem {
        var options = SystemOptions()
        change(&options)
        var (first, second) = (PingProcess(peer: two, pings: pings), PingProcess(peer: one))
        first.usesTimer = usesTimer
        second.isForgetful = isForgetful
        return ProcessSystem(
            [(one, first), (two, second)], options, properties: properties, fairness: fairness)
    }
}

extension SystemProperty<PingProcess> {
    /// What p1 was answered, p2 has on its disk.
    static let kept = always("kept") { view in
        view.process(at: 0).answered.allSatisfy { view.durable(at: 1).contains($0) }
            && view.process(at: 0).answered.allSatisfy { view.process(at: 1).received.contains($0) }
    }
    static let ordered = always("ordered") { view in
        view.process(at: 1).received == view.process(at: 1).received.sorted()
    }
    static let once = always("once") { view in
        Set(view.process(at: 1).received).count == view.process(at: 1).received.count
    }
    static func all(_ count: Int) -> Self {
        eventually("all") { $0.process(at: 0).answered.count == count }
    }
}
