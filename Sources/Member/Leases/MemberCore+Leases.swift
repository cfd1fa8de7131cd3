import Automata
import Coordination
import Replica

// Gives the keeper of leases what it needs to know, and follows what it wants.
extension MemberCore {
    private var leaseLeader: Leases.Leader {
        guard let leader else { return .nobody }
        guard leader == me else { return .other(leader) }
        return .here(
            LeaseAuthority(
                hasRecentQuorum: replica.hasRecentQuorum(at: now),
                hasAppliedInherited: replica.hasAppliedInherited,
                hasAppliedChosen: replica.chosenUpTo <= applier.applied,
                isBeingSucceeded: replica.isBeingSucceeded))
    }

    mutating func ask(_ question: LeaseQuestion, by asker: Leases.Asker, _ outputs: inout [MemberOutput]) {
        var wanted: [Leases.Output] = []
        leases.ask(
            question, by: asker, until: now + settings.limits.requestTimeout, leaseLeader, now: now,
            into: &wanted)
        follow(wanted, &outputs)
    }

    /// Everything that was chosen when the keeper wanted to catch up is applied.
    mutating func onLeaseCaughtUp(_ number: UInt64, _ outputs: inout [MemberOutput]) {
        var wanted: [Leases.Output] = []
        leases.caughtUp(number, leaseLeader, now: now, into: &wanted)
        follow(wanted, &outputs)
    }

    mutating func onLeaseCatchUpFailed(
        _ number: UInt64, _ error: ServiceError, _ outputs: inout [MemberOutput]
    ) {
        var wanted: [Leases.Output] = []
        leases.fail(number, error, into: &wanted)
        follow(wanted, &outputs)
    }

    mutating func onLeaseAnswer(_ answer: LeaseAnswer, to number: UInt64, _ outputs: inout [MemberOutput]) {
        var wanted: [Leases.Output] = []
        leases.onAnswer(answer, to: number, into: &wanted)
        follow(wanted, &outputs)
    }

    mutating func retryLeaseQuestions(sentBefore limit: Instant, _ outputs: inout [MemberOutput]) {
        var wanted: [Leases.Output] = []
        leases.retry(sentBefore: limit, leaseLeader, now: now, into: &wanted)
        follow(wanted, &outputs)
    }

    mutating func stopLeases(_ outputs: inout [MemberOutput]) {
        var wanted: [Leases.Output] = []
        leases.stop(into: &wanted)
        follow(wanted, &outputs)
    }

    mutating func expireLeases(_ outputs: inout [MemberOutput]) {
        guard !room.isLogFull else { return }
        let expired = leases.takeExpired(leaseLeader, now: now)
        guard !expired.isEmpty else { return }
        propose(LedgerCommand.expireLeases(expired), .expireLeases)
        proposeGathered(&outputs)
    }

    /// Leases are as the store has them: at start, and when a checkpoint has brought another store.
    mutating func restoreLeases(from reader: any OrderedReader) throws {
        leases.restore(
            try LedgerReader(reader).leases(), electionTimeout: settings.electionTimeout, leads: isLeading,
            now: now)
    }

    private mutating func follow(_ wanted: [Leases.Output], _ outputs: inout [MemberOutput]) {
        for want in wanted {
            switch want {
            case .answer(let client, let answer):
                count(answer, &outputs)
                outputs.append(.answer(client, answer.forClient))
            case .fail(let client, let error): outputs.append(.answer(client, .failure(error)))
            case .send(let answer, let member, let number):
                count(answer, &outputs)
                outputs.append(.send(.answer(answer, to: number), to: member, after: .none))
            case .ask(let question, let leader, let number):
                outputs.append(.send(.question(question, number: number), to: leader, after: .none))
            case .catchUp(let number): newReaders.append(.lease(number))
            }
        }
    }

    /// A renewal counts where it is decided.
    private func count(_ answer: LeaseAnswer, _ outputs: inout [MemberOutput]) {
        if isLeading, case .renewed(let seconds) = answer, seconds > 0 {
            outputs.append(.report(.leaseRenewed))
        }
    }
}

extension LeaseAnswer {
    fileprivate var forClient: Result<ServiceAnswer, ServiceError> {
        switch self {
        case .renewed(let seconds): .success(.leaseRenewed(seconds: seconds))
        case .timeToLive(let remaining, let granted):
            .success(.leaseTimeToLive(remaining: remaining, granted: granted))
        case .notLeader: .failure(.notLeader)
        }
    }
}
