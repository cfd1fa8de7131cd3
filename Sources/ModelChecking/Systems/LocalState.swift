import Automata

/// A process together with what its host keeps for it.
@usableFromInline struct LocalState<P: CheckedProcess>: Hashable, Sendable, Fingerprinted {
    @usableFromInline struct Waiting: Hashable, Sendable {
        let message: P.Message
        let to: ProcessID
        /// How many of the states handed over have to become durable first.
        var count: Int
    }

    @usableFromInline var process: P
    var durable: P.Durable
    /// In the order in which they were handed over.
    var undurable: [P.Durable] = []
    /// In the order of sending.
    var waiting: [Waiting] = []
    var timers: [P.Timer] = []

    init(_ process: P, durable: P.Durable) {
        self.process = process
        self.durable = durable
    }

    @usableFromInline func combine(into hash: inout StableHash) {
        StructuralHash.combine(process, into: &hash)
        StructuralHash.combine(durable, into: &hash)
        StructuralHash.combine(undurable, into: &hash)
        StructuralHash.combine(waiting, into: &hash)
        StructuralHash.combine(timers, into: &hash)
    }

    /// Gives the process an input and keeps what it wants, but for what it sends now.
    mutating func step(
        _ input: P.Input, isDurableAtOnce: Bool, _ send: (P.Message, ProcessID) -> Void
    ) {
        var outputs: [P.Output] = []
        process.step(input, at: .zero, into: &outputs)
        var count = 0
        for output in outputs {
            switch output {
            case .send(let message, let to): send(message, to)
            case .sendWhenDurable(let message, let to):
                if undurable.isEmpty {
                    send(message, to)
                } else {
                    waiting.append(Waiting(message: message, to: to, count: undurable.count))
                }
            case .persist(let state):
                if isDurableAtOnce {
                    durable = state
                    count += 1
                } else {
                    undurable.append(state)
                }
            case .setTimer(let timer): set(timer)
            case .cancelTimer(let timer): timers.removeAll { $0 == timer }
            }
        }
        if count > 0 { step(.durable(count: count), isDurableAtOnce: true, send) }
    }

    /// Timers have no order, so that they are kept in one that is the same in every run.
    private mutating func set(_ timer: P.Timer) {
        guard !timers.contains(timer) else { return }
        timers.append(timer)
        timers.sort { StructuralHash.fingerprint(of: $0) < StructuralHash.fingerprint(of: $1) }
    }

    mutating func becomeDurable(_ count: Int, _ send: (P.Message, ProcessID) -> Void) {
        durable = undurable[count - 1]
        undurable.removeFirst(count)
        let released = waiting.filter { $0.count <= count }
        waiting.removeAll { $0.count <= count }
        for index in waiting.indices { waiting[index].count -= count }
        for one in released { send(one.message, one.to) }
        step(.durable(count: count), isDurableAtOnce: false, send)
    }
}
