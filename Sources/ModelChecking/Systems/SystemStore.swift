import Automata

/// What the numbers in states stand for, and the steps of the processes, each taken once.
@usableFromInline final class SystemStore<P: CheckedProcess>: @unchecked Sendable {
    @usableFromInline let core: SystemCore
    /// The processes as they were at first.
    private let first: [P]
    @usableFromInline let locals = Interner<LocalState<P>>(most: 1 << 32 - 1)
    @usableFromInline let messages = Interner<P.Message>(most: MessageWord.mostMessages)
    private let requests = Interner<P.Request>(most: 1 << 29)
    private let timers = Interner<P.Timer>(most: 1 << 29)

    private let inboxes = InboxMemory()

    init(_ first: [P], _ core: SystemCore) {
        self.first = first
        self.core = core
    }

    private var processes: [ProcessID] { core.processes }

    // MARK: What numbers stand for

    @inlinable func local(_ number: UInt32) -> LocalState<P> { locals[number] }
    @inlinable func message(_ word: UInt32) -> P.Message { messages[MessageWord.message(word)] }
    func request(_ number: UInt32) -> P.Request { requests[number] }
    func timer(_ number: UInt32) -> P.Timer { timers[number] }

    func envelope(_ word: UInt32) -> CheckedMessage<P.Message> {
        CheckedMessage(
            message(word), from: processes[MessageWord.from(word)], to: processes[MessageWord.to(word)])
    }

    /// What a process may be asked for because of the messages on their way to it.
    func requests(ofInbox process: Int, in state: SystemState) -> [UInt32] {
        var key = [state.words[process]]
        for word in state.words[core.network.start...] where MessageWord.to(word) == process {
            key.append(word)
        }
        return inboxes.requests(for: key) {
            let inbox = key.dropFirst().map { envelope($0) }
            return local(key[0]).process.requests(in: inbox).map { number(of: $0) }
        }
    }

    private func number(of request: P.Request) -> UInt32 { requests.number(of: request) { _, _ in } }

    private func number(of local: LocalState<P>) -> UInt32 {
        let requests = local.process.requests.map { number(of: $0) }
        let timers = local.timers.map { timer in self.timers.number(of: timer) { _, _ in } }
        return locals.number(of: local) { number, fingerprint in
            let place = core.summaries.append(
                LocalSummary(
                    fingerprint: fingerprint, requests: .copy(requests), timers: .copy(timers),
                    undurable: UInt32(local.undurable.count), looksIntoInbox: local.process.looksIntoInbox))
            precondition(place == number, "a local state and its summary have different numbers")
        }
    }

    // MARK: Steps

    /// The word of a message to send, but for its sender.
    private func word(_ message: P.Message, to receiver: ProcessID) -> UInt32 {
        guard let to = processes.firstIndex(of: receiver) else {
            preconditionFailure("\(message) is sent to \(receiver), which is none of \(processes)")
        }
        let number = messages.number(of: message) { number, fingerprint in
            let place = core.messageMarks.append(fingerprint)
            precondition(place == number, "a message and its mark have different numbers")
        }
        return MessageWord.word(number, from: 0, to: to)
    }

    /// What a process is when it starts, and what it sends.
    func start(_ process: Int) -> (local: UInt32, sends: [UInt32]) {
        run(LocalState(first[process], durable: first[process].initiallyDurable), .started)
    }

    func compute(_ number: UInt32, _ input: SystemInput) -> (local: UInt32, sends: [UInt32]) {
        var local = locals[number]
        switch input {
        case .received(let message, let from):
            return run(local, .received(messages[message], from: processes[from]))
        case .requested(let request): return run(local, .requested(requests[request]))
        case .timerFired(let timer):
            local.timers.removeAll { $0 == timers[timer] }
            return run(local, .timerFired(timers[timer]))
        case .durable(let count):
            var sends: [UInt32] = []
            local.becomeDurable(Int(count)) { sends.append(word($0, to: $1)) }
            return (self.number(of: local), sends)
        case .crashed(let process):
            let recovered = first[process].recovered(from: local.durable)
            return run(LocalState(recovered, durable: local.durable), .started)
        }
    }

    private func run(_ before: LocalState<P>, _ input: P.Input) -> (local: UInt32, sends: [UInt32]) {
        var local = before
        var sends: [UInt32] = []
        local.step(input, isDurableAtOnce: core.options.durability == .withStep) {
            sends.append(word($0, to: $1))
        }
        return (number(of: local), sends)
    }
}
