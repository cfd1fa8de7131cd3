import Automata

/// What a state of a system is made of, for properties and traces.
public struct SystemView<P: CheckedProcess>: Sendable {
    @usableFromInline let store: SystemStore<P>
    @usableFromInline let state: SystemState

    init(_ store: SystemStore<P>, _ state: SystemState) {
        self.store = store
        self.state = state
    }

    @inlinable public var processes: [ProcessID] { store.core.processes }

    /// The process at a place among all.
    @inlinable public func process(at index: Int) -> P { store.local(state.words[index]).process }

    public subscript(process: ProcessID) -> P {
        guard let index = store.core.processes.firstIndex(of: process) else {
            preconditionFailure("\(process) is none of \(store.core.processes)")
        }
        return self.process(at: index)
    }

    /// What a crash now would leave of the process at a place among all.
    public func durable(at index: Int) -> P.Durable { store.local(state.words[index]).durable }

    /// Whether the process at a place has handed over what is not durable yet.
    public func isDurable(at index: Int) -> Bool { store.core.summaries[state.words[index]].undurable == 0 }

    /// The messages on their way, channel by channel in the order of sending where channels have one.
    public var messages: [CheckedMessage<P.Message>] { words.map(store.envelope) }

    /// Calls `body` with each message on its way to one of the `receivers`, places among all processes, and the
    /// places of its sender and receiver.
    @inlinable public func forEachMessage(
        to receivers: some RangeExpression<Int> = 0...,
        _ body: (borrowing P.Message, _ from: Int, _ to: Int) -> Void
    ) {
        for place in store.core.processes.count + 1..<state.words.count {
            let word = state.words[place]
            let (from, to) = (MessageWord.from(word), MessageWord.to(word))
            guard receivers.contains(to) else { continue }
            body(store.messages.entries.pointer(MessageWord.message(word)).pointee.value, from, to)
        }
    }

    @inlinable var words: ArraySlice<UInt32> { state.words[(store.core.processes.count + 1)...] }

    public var crashes: Int { FaultCounts(state.words[store.core.processes.count]).crashes }
    public var losses: Int { FaultCounts(state.words[store.core.processes.count]).losses }
    public var duplicates: Int { FaultCounts(state.words[store.core.processes.count]).duplicates }
}
