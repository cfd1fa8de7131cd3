import Automata

/// Any composition of processes as a model: every order in which their messages may arrive, their timers fire,
/// the environment ask, and, as far as the options let them, crashes, losses and repetitions come.
///
/// Local states and messages are numbered, and what a process does with an input is worked out once, by its own
/// code, and remembered. A global state is then a few numbers.
public struct ProcessSystem<P: CheckedProcess>: Model {
    public typealias State = SystemState
    public typealias Action = SystemAction

    @usableFromInline let core: SystemCore
    @usableFromInline let store: SystemStore<P>
    private let requirements: [SystemProperty<P>]
    private let words: SystemWords<P>
    public let fairness: [Fairness<SystemAction>]

    /// At most 64 processes, which have different names.
    public init(
        _ processes: [(ProcessID, P)], _ options: SystemOptions = SystemOptions(),
        properties: [SystemProperty<P>], fairness: [Fairness<SystemAction>] = [],
        words: SystemWords<P> = SystemWords()
    ) {
        core = SystemCore(processes.map(\.0), options)
        store = SystemStore(processes.map(\.1), core)
        requirements = properties
        self.fairness = fairness
        self.words = words
    }

    public func view(_ state: SystemState) -> SystemView<P> { SystemView(store, state) }

    public var properties: [Property<SystemState>] { requirements.map { $0.property(store) } }

    public func initialStates() -> [SystemState] {
        let processes = core.processes.indices
        var state = [UInt32](repeating: 0, count: processes.count + 1)
        for process in processes {
            let (local, sends) = store.start(process)
            state[process] = local
            for send in sends { core.network.insert(send | core.sender(process), into: &state) }
        }
        return [SystemState(words: state)]
    }

    public func addActions(in state: SystemState, to actions: inout [SystemAction]) {
        core.addActions(in: state, to: &actions) { process, actions in
            for request in store.requests(ofInbox: process, in: state) {
                actions.append(SystemAction(.request, process, request))
            }
        }
    }

    public func successor(of state: SystemState, by action: SystemAction) -> SystemState? {
        core.successor(of: state, by: action) { store.compute($0, $1) }
    }

    public func fingerprint(of state: SystemState) -> Fingerprint { core.fingerprint(of: state) }

    public func canonical(_ state: SystemState) -> SystemState { core.canonical(state) }
}

// MARK: Words

extension ProcessSystem {
    private func name(_ process: Int) -> String { words.name(core.processes[process]) }

    public func actor(of action: SystemAction) -> String? { name(action.process) }

    public func describe(_ action: SystemAction, in state: SystemState) -> String {
        let name = name(action.process)
        switch action.kind {
        case .delivery, .duplicate:
            let word = state.words[Int(action.operand)]
            let before = state.words[core.network.start..<Int(action.operand)]
            let overtakes =
                core.options.network == .overtaking
                && before.contains { MessageWord.channel($0) == MessageWord.channel(word) }
            return "\(name) receives \(words.message(store.message(word))) "
                + "from \(self.name(MessageWord.from(word)))"
                + (overtakes ? ", which overtakes what was sent before it" : "")
                + (action.kind == .duplicate ? ", which will come again" : "")
        case .loss:
            let word = state.words[Int(action.operand)]
            return "\(words.message(store.message(word))) from \(self.name(MessageWord.from(word))) "
                + "to \(name) is lost"
        case .request: return "\(name) \(words.request(store.request(action.operand)))"
        case .timer: return "\(name): \(words.timer(store.timer(action.operand)))"
        case .durability: return "what \(name) has handed over becomes durable"
        case .crash: return "\(name) crashes and restarts"
        }
    }

    public func describe(_ state: SystemState) -> String {
        parts(of: state).map { "\($0.name): \($0.text)" }.joined(separator: "; ")
    }

    public func parts(of state: SystemState) -> [StatePart] {
        let parts = core.processes.indices.map { process in
            let local = store.local(state.words[process])
            let waits = local.undurable.isEmpty ? "" : ", not durable yet"
            let timers = local.timers.isEmpty ? "" : ", timers \(local.timers)"
            return StatePart(name: name(process), text: words.process(local.process) + waits + timers)
        }
        return parts + (core.options.network == .everSent ? sent(in: state) : [underWay(in: state)])
    }

    private func underWay(in state: SystemState) -> StatePart {
        let messages = state.words[core.network.start...].map { word in
            "\(name(MessageWord.from(word)))→\(name(MessageWord.to(word))) "
                + words.message(store.message(word))
        }
        return StatePart(
            name: "under way", text: messages.isEmpty ? "nothing" : messages.joined(separator: ", "))
    }

    /// A part for each process, in an order that is the same in every run, since what was sent has none.
    private func sent(in state: SystemState) -> [StatePart] {
        core.processes.indices.compactMap { process in
            let sent = state.words[core.network.start...].filter { MessageWord.from($0) == process }
            let messages = sent.map { word in
                "\(words.message(store.message(word))) to \(name(MessageWord.to(word)))"
            }
            guard !messages.isEmpty else { return nil }
            return StatePart(
                name: "sent by \(name(process))", text: messages.sorted().joined(separator: ", "))
        }
    }
}
