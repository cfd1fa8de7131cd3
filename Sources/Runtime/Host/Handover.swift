import Automata

/// Whoever waits for leadership to be handed over before the server stops.
final class HandoverTicket: Sendable {
    private let done: @Sendable () -> Void

    init(_ done: @escaping @Sendable () -> Void) { self.done = done }

    func end() { done() }
}

/// Leadership on its way to another member, because this one is about to stop.
struct Handover {
    /// Not asked yet, the best first.
    var heirs: [ProcessID]
    let deadline: Instant
    /// Members that may still send here what they want proposed; nil while this process leads.
    var unaware: [ProcessID]?
    var waiting: [HandoverTicket] = []

    /// Two heirs have time to be tried.
    static func timeLimit(electionTimeout: TimeSpan) -> TimeSpan { min(electionTimeout * 2, .seconds(3)) }
}
