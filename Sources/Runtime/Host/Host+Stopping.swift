import Automata
import Coordination
import Member
import Replica

/// Whoever waits for leadership to be handed over before the server stops.
final class HandoverTicket: Sendable {
    private let done: @Sendable () -> Void

    init(_ done: @escaping @Sendable () -> Void) { self.done = done }

    func end() { done() }
}

// The end.
extension Host {
    func endHandover() {
        let tickets = handoverTickets
        handoverTickets = []
        for ticket in tickets { ticket.end() }
    }

    /// The server cannot go on. It answers `.stopped` and waits to be stopped.
    func onFailure(_ reason: String) {
        guard !isStopped else { return }
        report(.error, "stopping: \(reason)")
        isStopped = true
        board.update { $0.isRunning = false }
        options.failed(reason)
    }

    /// Answers everybody who waits. Requests that come later are refused at the port.
    func finish() {
        board.update { $0.isRunning = false }
        letGo()
        tellFinished()
        for arrival in arrivals.values { arrival.end(false, "the process is stopping") }
        endHandover()
        var inputs: [HostInput] = []
        inbox.close(into: &inputs)
        for case .requests(let port, let requests) in inputs {
            for request in requests {
                answer(ClientToken(port: port.number, token: request.token), .failure(.stopped))
            }
        }
        for case .checkpointArrived(let arrival) in inputs { arrival.end(false, "the process is stopping") }
        for case .handOver(let ticket) in inputs { ticket.end() }
        deliverAll()
    }
}
