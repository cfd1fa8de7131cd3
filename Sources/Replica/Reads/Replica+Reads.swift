import Automata
import Paxos

/// Linearizable reads. The leader notes how far its prefix is chosen, and lets a phase-2 quorum confirm, in a
/// heartbeat round begun after the read came, that none of them has promised a higher ballot: every later
/// leader's phase-1 quorum meets that quorum, so nothing else can have been chosen by then. All reads that
/// wait share one round. (Ongaro, Consensus: Bridging Theory and Practice, 2014, section 6.4.)
///
/// A leader that has not yet chosen anything in its ballot and in the configuration in force does not answer:
/// it may not know all that is chosen.
extension Replica {
    mutating func onReadRequested(_ id: ReadID, _ outputs: inout [ReplicaOutput]) {
        if leadership != nil {
            guard leadership!.reads.count < settings.waitingReadsLimit else {
                outputs.append(.refuseRead(id, .busy))
                return
            }
            enqueueRead(.here(id), &outputs)
            return
        }
        guard let leader, servesClients else {
            outputs.append(.refuseRead(id, .noLeader))
            return
        }
        guard forwardedReads.count < settings.waitingReadsLimit else {
            outputs.append(.refuseRead(id, .busy))
            return
        }
        forwardedReads.waiting.append(id)
        if forwardedReads.asked.isEmpty { askForReads(leader, &outputs) }
    }

    private mutating func enqueueRead(
        _ reader: WaitingReads.Reader, _ outputs: inout [ReplicaOutput]
    ) {
        if isReady, leadership!.holdsLease(at: now, settings) {
            answer(reader, &outputs)
            return
        }
        leadership!.reads.append(reader, until: leadership!.rounds.current + 1)
        // While a round is under way, later reads gather for the next.
        if leadership!.rounds.isOver { beginRound(isPulse: false, &outputs) }
    }

    /// At the end of every step: answers the reads whose round is confirmed.
    mutating func answerReads(_ outputs: inout [ReplicaOutput]) {
        guard !leadership!.reads.isEmpty else { return }
        if isReady {
            let count = leadership!.reads.count(confirmedBy: leadership!.rounds.confirmed)
            for index in 0..<count { answer(leadership!.reads[index], &outputs) }
            leadership!.reads.removeFirst(count)
        }
        if leadership!.rounds.isOver, leadership!.reads.needsMore(than: leadership!.rounds.current) {
            beginRound(isPulse: false, &outputs)
            // Where no other process is needed the round is over already.
            if leadership!.rounds.isOver { answerReads(&outputs) }
        }
    }

    private func answer(_ reader: WaitingReads.Reader, _ outputs: inout [ReplicaOutput]) {
        switch reader {
        case .here(let id):
            outputs.append(.answerRead(id, at: chosenUpTo))
        case .there(let process, let request):
            let answer = ReplicaMessage.ReadAnswer(
                incarnation: request.incarnation, number: request.number, ballot: acceptor.promised,
                at: chosenUpTo)
            send(.readAnswer(answer), to: process, &outputs)
        }
    }

    mutating func refuseReads(_ outputs: inout [ReplicaOutput]) {
        for reader in leadership!.reads.takeAll() {
            switch reader {
            case .here(let id): outputs.append(.refuseRead(id, .noLeader))
            case .there(let process, let request): refuse(request, of: process, &outputs)
            }
        }
    }

    private func refuse(
        _ request: ReplicaMessage.ReadRequest, of process: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        let answer = ReplicaMessage.ReadAnswer(
            incarnation: request.incarnation, number: request.number, ballot: acceptor.promised, at: nil)
        send(.readAnswer(answer), to: process, &outputs)
    }

    // MARK: Reads of a follower's clients

    /// One request stands for all reads that came before it.
    mutating func askForReads(_ leader: ProcessID, _ outputs: inout [ReplicaOutput]) {
        let number = forwardedReads.ask()
        let request = ReplicaMessage.ReadRequest(incarnation: incarnation, number: number)
        send(.readRequest(request), to: leader, after: thisStart, &outputs)
        armResend(&outputs)
    }

    mutating func onReadRequest(
        _ request: ReplicaMessage.ReadRequest, from process: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard leadership != nil, leadership!.reads.count < settings.waitingReadsLimit else {
            refuse(request, of: process, &outputs)
            return
        }
        enqueueRead(.there(process, request), &outputs)
    }

    mutating func onReadAnswer(
        _ answer: ReplicaMessage.ReadAnswer, from process: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        // An answer to an earlier request says nothing about reads that came after it.
        guard answer.incarnation == incarnation, answer.number == forwardedReads.number else { return }
        let asked = forwardedReads.takeAsked()
        if let at = answer.at {
            if answer.ballot == acceptor.promised { learn(upTo: min(at, acceptedUpTo), &outputs) }
            for id in asked { outputs.append(.answerRead(id, at: at)) }
        } else {
            for id in asked { outputs.append(.refuseRead(id, .noLeader)) }
        }
        if let leader, !forwardedReads.waiting.isEmpty, leadership == nil { askForReads(leader, &outputs) }
    }
}
