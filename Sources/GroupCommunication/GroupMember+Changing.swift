import Automata
import Multicast
import Paxos

// MARK: From one view to the next

extension GroupMember {
    mutating func received(
        _ message: GroupMessage, from sender: ProcessID, _ membership: inout Membership,
        _ outputs: inout [Output]
    ) -> Stage? {
        let number = membership.view.number
        switch message {
        case .join(let other): return onJoin(other, &membership, &outputs)
        case .leave(number, let other): return onLeave(other, &membership, &outputs)
        case .wedge(number):
            membership.isWedged = true
            outputs.append(.send(.report(number, membership.transport.holdings), to: sender))
        case .report(number, let holdings):
            guard let member = membership.view.members.firstIndex(of: sender),
                holdings.counts.count == membership.view.members.count
            else { return nil }
            membership.reports[member] = holdings
            return proposeIfReady(&membership, &outputs)
        case .consensus(number, let message):
            guard message.proposal.map({ mayFollow(number, $0) }) ?? true else { return nil }
            return agree(.received(message, from: sender), &membership, &outputs)
        case .install(number, let payload):
            guard mayFollow(number, payload) else { return nil }
            return agree(.received(.chosen(payload), from: sender), &membership, &outputs)
        case .excluded(number): return stop(.excluded, &outputs)
        case .install, .excluded: break
        case .multicast, .presence, .leave, .wedge, .report, .consensus:
            if let other = message.view, other < number { help(sender, in: other, number, &outputs) }
        }
        return nil
    }

    /// Whether it is something that a view of this number can be followed by.
    private func mayFollow(_ number: UInt64, _ payload: Payload) -> Bool {
        Succession(payload).map { $0.next.number == number + 1 } ?? false
    }

    mutating func onTimer(_ membership: inout Membership, _ outputs: inout [Output]) -> Stage? {
        outputs.append(.setTimer(after: settings.interval))
        let number = membership.view.number
        if membership.isWedged {
            // Who has gone on already will tell.
            for other in membership.view.members where other != process {
                outputs.append(.send(.presence(number), to: other))
            }
        } else {
            transport(.timerFired, &membership, &outputs)
        }
        if isLeaving, let next = onLeave(process, &membership, &outputs) { return next }
        if membership.isChanging {
            for (member, other) in membership.view.members.enumerated()
            where membership.reports[member] == nil && other != process {
                outputs.append(.send(.wedge(number), to: other))
            }
        }
        if let next = agree(.resend, &membership, &outputs) { return next }
        return changeIfNeeded(&membership, &outputs)
    }

    /// How many one change of view takes in.
    private static let joinersAtOnce = 64

    private mutating func onJoin(
        _ other: ProcessID, _ membership: inout Membership, _ outputs: inout [Output]
    ) -> Stage? {
        if membership.view.contains(other) {
            // It is a member and has not heard.
            if let latest {
                outputs.append(.send(.install(latest.before.number, latest.succession), to: other))
            }
            return nil
        }
        guard let leader = membership.leader, leader == process else {
            if let leader = membership.leader { outputs.append(.send(.join(other), to: leader)) }
            return nil
        }
        // The others ask again.
        if !membership.joining.contains(other), membership.joining.count < Self.joinersAtOnce {
            membership.joining = (membership.joining + [other]).sorted()
        }
        return changeIfNeeded(&membership, &outputs)
    }

    mutating func onLeave(
        _ other: ProcessID, _ membership: inout Membership, _ outputs: inout [Output]
    ) -> Stage? {
        guard membership.view.contains(other) else { return nil }
        if !membership.leaving.contains(other) {
            membership.leaving = (membership.leaving + [other]).sorted()
        }
        if other == process, let leader = membership.leader, leader != process {
            outputs.append(.send(.leave(membership.view.number, process), to: leader))
        }
        return changeIfNeeded(&membership, &outputs)
    }

    /// Whoever is behind by one view, and was a member, is told what was decided; others have been left behind.
    private func help(_ other: ProcessID, in number: UInt64, _ current: UInt64, _ outputs: inout [Output]) {
        if let latest, latest.before.number == number, latest.before.contains(other) {
            outputs.append(.send(.install(number, latest.succession), to: other))
        } else if number < current {
            outputs.append(.send(.excluded(number), to: other))
        }
    }

    /// What a process that left still has to say.
    func helpAfterwards(_ message: GroupMessage, from other: ProcessID, _ outputs: inout [Output]) {
        switch message {
        case .install, .excluded: break
        case .join(let joiner):
            guard let latest, Succession(latest.succession)?.next.contains(joiner) == true else { return }
            outputs.append(.send(.install(latest.before.number, latest.succession), to: joiner))
        case .multicast, .presence, .leave, .wedge, .report, .consensus:
            guard let latest, let number = message.view else { return }
            help(other, in: number, latest.before.number, &outputs)
        }
    }

    private func stop(_ reason: Reason, _ outputs: inout [Output]) -> Stage {
        outputs.append(.stop(reason))
        return .stopped
    }

    /// The first member changes the view when somebody is suspected, wants to join or to leave, or when somebody else
    /// has begun to and did not get to the end.
    mutating func changeIfNeeded(_ membership: inout Membership, _ outputs: inout [Output]) -> Stage? {
        let isLeader = membership.leader == process
        if let next = agree(.mayLead(isLeader), &membership, &outputs) { return next }
        guard isLeader else { return nil }
        let isNeeded =
            membership.isWedged || !membership.suspects.isEmpty || !membership.joining.isEmpty
            || !membership.leaving.isEmpty
        guard isNeeded else { return nil }
        if !membership.isChanging {
            membership.isChanging = true
            membership.isWedged = true
            for (member, other) in membership.view.members.enumerated() {
                if other == process {
                    membership.reports[member] = membership.transport.holdings
                } else {
                    outputs.append(.send(.wedge(membership.view.number), to: other))
                }
            }
        }
        return proposeIfReady(&membership, &outputs)
    }

    /// Once everybody who is not suspected has reported, and they suffice to decide.
    private mutating func proposeIfReady(
        _ membership: inout Membership, _ outputs: inout [Output]
    ) -> Stage? {
        let members = membership.view.members
        guard membership.isChanging, !membership.hasProposed, membership.leader == process else { return nil }
        let reports = zip(members, membership.reports).compactMap { member, report in
            report.map { (member: member, holdings: $0) }
        }
        let reporting = reports.map(\.member)
        guard membership.view.configuration.isPhase1Quorum(reporting),
            members.allSatisfy({ reporting.contains($0) || membership.suspects.contains($0) })
        else { return nil }
        membership.hasProposed = true
        let succession = Succession(
            after: membership.view, reports: reports, joining: membership.joining,
            leaving: membership.leaving)
        return agree(.proposed(succession.payload), &membership, &outputs)
    }

    /// Gives the consensus an input; what it sends to this process itself comes back at once.
    private mutating func agree(
        _ input: SynodProcess.Input, _ membership: inout Membership, _ outputs: inout [Output]
    ) -> Stage? {
        var inputs = [input]
        var decision: Payload?
        while !inputs.isEmpty {
            var wanted: [SynodProcess.Output] = []
            membership.consensus.step(inputs.removeFirst(), at: .zero, into: &wanted)
            for output in wanted {
                switch output {
                case .persist: break  // Who crashes does not come back under its name.
                case .send(let message, process): inputs.append(.received(message, from: process))
                case .send(let message, let receiver):
                    outputs.append(.send(.consensus(membership.view.number, message), to: receiver))
                case .decide(let payload): decision = payload
                }
            }
        }
        guard let decision, let succession = Succession(decision) else { return nil }
        return follow(succession, decision, &membership, &outputs)
    }

    /// Ends the view as all do who go on, and begins the next.
    private mutating func follow(
        _ succession: Succession, _ payload: Payload, _ membership: inout Membership,
        _ outputs: inout [Output]
    ) -> Stage {
        let hasPart = succession.next.contains(process) || succession.left.contains(process)
        if hasPart, flaw != .skipsFlush { end(&membership, with: succession.holdings, &outputs) }
        let (old, new) = (membership.view, succession.next)
        for joiner in new.members where !old.contains(joiner) {
            outputs.append(.send(.install(old.number, payload), to: joiner))
        }
        latest = Change(before: old, succession: payload)
        guard new.contains(process) else { return stop(hasPart ? .left : .excluded, &outputs) }
        outputs.append(.install(new))
        if hasRefused, !isLeaving { outputs.append(.ready) }
        hasRefused = false
        return .member(self.membership(of: new))
    }

    private func end(
        _ membership: inout Membership, with holdings: Holdings, _ outputs: inout [Output]
    ) {
        var below: [ReliableMulticast.Output] = []
        membership.transport.close(with: holdings, into: &below)
        var deliveries: [OrderedMulticast] = []
        for case .deliver(let id, let item) in below {
            membership.order.receive(item, from: id.sender, into: &deliveries)
        }
        membership.order.end(into: &deliveries)
        hand(up: deliveries, &membership, &outputs)
    }
}

extension SynodMessage {
    /// What is proposed or was chosen, where the message carries that.
    fileprivate var proposal: Payload? {
        switch self {
        case .accept(let vote), .accepted(let vote), .promise(_, let vote?): vote.value
        case .chosen(let value): value
        case .prepare, .promise, .nack: nil
        }
    }
}
