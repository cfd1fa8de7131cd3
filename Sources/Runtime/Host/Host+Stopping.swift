import Automata
import Coordination
import Paxos
import Replica

// The end, which costs nobody an answer as long as others can lead.
//
//     leader                              heir          other members
//       │ hands over (replica) ────────────▶│                │
//       │◀──────────────────────────────── leads ───────────▶│
//       │ farewell ────────────────────────▶│ ──────────────▶│
//       │◀─────────── farewellAnswer, once they follow another: what they had sent here has come before
//
// What came too late to be proposed has been refused by then as never proposed, and is asked of the new leader.
extension Host {
    /// A leader hands over if somebody is there to take it. Clients are served all the while, afterwards as by any
    /// follower.
    func onHandOver(_ ticket: HandoverTicket) {
        if handover != nil {
            handover!.waiting.append(ticket)
            return
        }
        guard leader == identity.memberID else { return ticket.end() }
        let heirs = replica.heirs.filter { network.link(to: $0)?.isConnected == true }
        handover = Handover(
            heirs: heirs, deadline: now + Handover.timeLimit(electionTimeout: options.electionTimeout),
            waiting: [ticket])
        askNextHeir()
    }

    private func askNextHeir() {
        guard let heir = handover?.heirs.first else { return endHandover() }
        handover!.heirs.removeFirst()
        step(.transferRequested(to: heir))
    }

    /// A transfer has ended, whoever asked for it.
    func onHandoverStep(_ refusal: Refusal?) {
        guard handover != nil, handover!.unaware == nil else { return }
        guard refusal == nil || !replica.isLeader else { return askNextHeir() }
        handover!.unaware = network.links.filter(\.isConnected).map(\.peer)
        sayFarewell()
    }

    private func sayFarewell() {
        let unaware = (handover?.unaware ?? []).filter { network.link(to: $0)?.isConnected == true }
        handover?.unaware = unaware
        guard !unaware.isEmpty else { return endHandover() }
        for process in unaware { outbox.send(.farewell, to: process) }
    }

    /// With every beat: what was lost is said again, and there is an end to it.
    func pursueHandover() {
        guard let handover else { return }
        if handover.deadline < now { return endHandover() }
        if handover.unaware != nil { sayFarewell() }
    }

    func onFarewellAnswer(from sender: ProcessID) {
        guard handover?.unaware != nil else { return }
        handover!.unaware!.removeAll { $0 == sender }
        if handover!.unaware!.isEmpty { endHandover() }
    }

    private func endHandover() {
        let ended = handover
        handover = nil
        for ticket in ended?.waiting ?? [] { ticket.end() }
        if stop != nil { isStopped = true }
    }

    // MARK: the other side

    /// The answer leaves behind everything that was forwarded to the sender.
    func onFarewell(from sender: ProcessID) {
        if leader != sender {
            outbox.send(.farewellAnswer, to: sender)
        } else if !farewells.contains(sender) {
            farewells.append(sender)
        }
    }

    /// To be called when another leads.
    func answerFarewells() {
        for process in farewells where process != leader { outbox.send(.farewellAnswer, to: process) }
        farewells.removeAll { $0 != leader }
    }

    // MARK: stopping

    /// Whoever still asks is refused from now on.
    func onStop(_ ticket: StopTicket) {
        guard stop == nil else { return }
        stop = ticket
        onHandOver(HandoverTicket {})
        if handover == nil { isStopped = true }
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
        for pending in proposals.removeAll() { end(pending, .failure(.stopped)) }
        for read in reads.removeAll() { end(read, .stopped) }
        for waiter in newReaders {
            if case .port(let port, let token) = waiter { answer(port, token, .failure(.stopped)) }
        }
        newReaders = []
        stopLeases()
        for waiter in compactionWaiters { answer(waiter.port, waiter.token, .failure(.stopped)) }
        for waiter in transferWaiters { answer(waiter.port, waiter.token, .failure(.stopped)) }
        for waiter in copying?.waiters ?? [] { answer(waiter.port, waiter.token, .failure(.stopped)) }
        waitingArrival?.end(false, "the process is stopping")
        endHandover()
        var inputs: [HostInput] = []
        inbox.close(into: &inputs)
        for case .requests(let port, let requests) in inputs {
            for request in requests { answer(port, request.token, .failure(.stopped)) }
        }
        for case .checkpointArrived(let arrival) in inputs { arrival.end(false, "the process is stopping") }
        for case .handOver(let ticket) in inputs { ticket.end() }
        deliverAll()
    }
}
