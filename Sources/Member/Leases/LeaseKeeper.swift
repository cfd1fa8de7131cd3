import Automata
import Coordination

/// Leases at one member: the leader counts their time and answers for them, the others ask it.
///
/// A question that cannot be answered now is kept, until its time is over: while no leader is known, while the leader
/// is not sure of itself, and while an answer from it may have been lost. Asking twice does no harm.
public struct LeaseKeeper<Client: Sendable>: Sendable {
    public enum Asker: Sendable {
        case client(Client)
        /// Another member, for a client of its own, under a number of its choice.
        case member(ProcessID, number: UInt64)
    }

    /// Who leads, as this member knows it.
    public enum Leader: Sendable {
        case nobody
        case other(ProcessID)
        case here(LeaseAuthority)
    }

    public enum Output: Sendable {
        case answer(Client, LeaseAnswer)
        case fail(Client, ServiceError)
        /// To a member that asked.
        case send(LeaseAnswer, to: ProcessID, number: UInt64)
        /// Of the leader.
        case ask(LeaseQuestion, of: ProcessID, number: UInt64)
        /// Call `caughtUp` with this number once everything chosen by now is applied here, or `fail`.
        case catchUp(UInt64)
    }

    private struct Request: Sendable {
        let asker: Asker
        let question: LeaseQuestion
        let deadline: Instant
        var isCaughtUp = false
        /// When it was last sent to the leader.
        var sent = Instant.zero
    }

    private var clock: LeaseClock
    /// Of the leases at this member.
    public var count: Int { clock.count }

    private var held: [Request] = []
    /// Sent to the leader, by number.
    private var sent = SortedChunks<UInt64, Request>()
    private var catchingUp = SortedChunks<UInt64, Request>()
    private var nextNumber: UInt64

    /// `firstNumber`: no number from there on may have been used in an earlier life of the member, an answer to which
    /// may still come.
    public init(electionTimeout: TimeSpan, firstNumber: UInt64) {
        clock = LeaseClock(electionTimeout: electionTimeout)
        nextNumber = firstNumber
    }

    // MARK: what leases there are

    /// The store was read anew.
    public mutating func restore(
        _ leases: [(id: LeaseID, seconds: Int64)], electionTimeout: TimeSpan, leads: Bool, now: Instant
    ) {
        clock = LeaseClock(electionTimeout: electionTimeout)
        for lease in leases { clock.grant(lease.id, seconds: lease.seconds, now: now) }
        if leads { clock.promote(now: now) }
    }

    public mutating func follow(_ change: Consequences.LeaseChange, now: Instant) {
        clock.follow(change, now: now)
    }

    /// This member leads now, and counts.
    public mutating func promote(now: Instant) { clock.promote(now: now) }

    public mutating func demote() { clock.demote() }

    /// Leases whose end is to be proposed now, which only a leader does that is sure of itself.
    public mutating func takeExpired(_ leader: Leader, now: Instant) -> [LeaseID] {
        guard case .here(let authority) = leader, authority.hasRecentQuorum, let due = clock.nextDeadline,
            due <= now
        else { return [] }
        return clock.expired(now: now, limit: 1000, retryAfter: .seconds(3))
    }

    // MARK: questions

    public mutating func ask(
        _ question: LeaseQuestion, by asker: Asker, until deadline: Instant, _ leader: Leader, now: Instant,
        into outputs: inout [Output]
    ) {
        handle(Request(asker: asker, question: question, deadline: deadline), leader, now, &outputs)
    }

    public mutating func caughtUp(
        _ number: UInt64, _ leader: Leader, now: Instant, into outputs: inout [Output]
    ) {
        guard var request = catchingUp.remove(number) else { return }
        request.isCaughtUp = true
        handle(request, leader, now, &outputs)
    }

    /// What it waits for did not come about.
    public mutating func fail(_ number: UInt64, _ error: ServiceError, into outputs: inout [Output]) {
        if let request = catchingUp.remove(number) { end(request, error, &outputs) }
    }

    /// An answer to a question that was asked anew, or given up, means nothing.
    public mutating func onAnswer(_ answer: LeaseAnswer, to number: UInt64, into outputs: inout [Output]) {
        guard let request = sent.remove(number) else { return }
        if answer == .notLeader { held.append(request) } else { end(request, answer, &outputs) }
    }

    /// Tries the held questions again, and asks those anew whose answer may have been lost: that were sent before
    /// `limit`.
    public mutating func retry(
        sentBefore limit: Instant, _ leader: Leader, now: Instant, into outputs: inout [Output]
    ) {
        var late: [UInt64] = []
        sent.visit { if $1.sent < limit || $1.deadline < now { late.append($0) } }
        let again = held + late.compactMap { sent.remove($0) }
        held = []
        for request in again {
            if request.deadline < now {
                end(request, .timedOut, &outputs)
            } else {
                handle(request, leader, now, &outputs)
            }
        }
    }

    /// Ends every question.
    public mutating func stop(into outputs: inout [Output]) {
        var all = held
        for requests in [sent, catchingUp] { requests.visit { all.append($1) } }
        (held, sent, catchingUp) = ([], SortedChunks(), SortedChunks())
        for request in all { end(request, .stopped, &outputs) }
    }

    private mutating func handle(
        _ request: Request, _ leader: Leader, _ now: Instant, _ outputs: inout [Output]
    ) {
        switch leader {
        case .nobody: held.append(request)
        case .other(let leader):
            if case .member(let asking, let number) = request.asker {
                outputs.append(.send(.notLeader, to: asking, number: number))
            } else {
                var request = request
                request.sent = now
                let number = takeNumber()
                sent[number] = request
                outputs.append(.ask(request.question, of: leader, number: number))
            }
        case .here(let authority):
            let verdict = authority.verdict(
                on: request.question, isCaughtUp: request.isCaughtUp, by: &clock, now: now)
            switch verdict {
            case .answer(let answer): end(request, answer, &outputs)
            case .hold: held.append(request)
            case .catchUp:
                let number = takeNumber()
                catchingUp[number] = request
                outputs.append(.catchUp(number))
            }
        }
    }

    private mutating func takeNumber() -> UInt64 {
        defer { nextNumber += 1 }
        return nextNumber
    }

    private func end(_ request: Request, _ answer: LeaseAnswer, _ outputs: inout [Output]) {
        switch request.asker {
        case .client(let client): outputs.append(.answer(client, answer))
        case .member(let asking, let number): outputs.append(.send(answer, to: asking, number: number))
        }
    }

    /// A member that gets no answer sees to its own client's time.
    private func end(_ request: Request, _ error: ServiceError, _ outputs: inout [Output]) {
        if case .client(let client) = request.asker { outputs.append(.fail(client, error)) }
    }
}
