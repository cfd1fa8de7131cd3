import Automata
import Member
import Paxos
import Simulation

// Once faults have stopped, everybody is answered in time and all members come to the same.
extension MemberRun {
    /// No client waits longer, by the clock of the member that it asked, and then hears within the next beats.
    private static let requestTimeout = TimeSpan.seconds(3)
    private static let patience = TimeSpan.seconds(60)

    /// Of the configuration in force, ascending.
    var members: [ProcessID] {
        let configuration = judge.membership.configuration
        return (configuration.voters + configuration.learners).filter { roster.present.contains($0) }.sorted()
    }

    /// Whoever is no member does not come to hold what a client waits for that is not bounded in time.
    private var awaited: [MemberClients.Operation] {
        clients.pending.values.filter { $0.kind != .other || members.contains($0.process) }
    }

    private var servants: [ProcessID] { members.filter { !roster.voteless.contains($0) } }

    mutating func recover() throws(Violation) {
        let running = up
        cluster.stopFaults(healthy: roster.present)
        try onNews()
        for process in roster.present where running.contains(process) {
            try submit(.capacity(nil), to: process)
        }
        let healed = cluster.now
        let end = healed + Self.patience
        var probed: [ProcessID] = []
        cluster.wake(Wake.probe, after: .milliseconds(500))
        while let occurrence = cluster.advance() {
            try onOccurrence(occurrence)
            if occurrence == .woke(Wake.watch) { try watch(isSettling: true) }
            guard occurrence == .woke(Wake.probe) else { continue }
            if let late = awaited.first(where: { isLate($0, since: healed) }) {
                throw Violation(.liveness, "\(late.process) does not answer \(late.kind)")
            }
            if members.allSatisfy({ probed.contains($0) }), awaited.isEmpty, isConverged,
                watches.areTold(judge)
            {
                return
            }
            guard cluster.now < end else { throw Violation(.liveness, complaint(probed)) }
            for process in members where !probed.contains(process) {
                try submit(.capacity(nil), to: process)
                if cluster[process]?.member?.glance.leader != nil { probed.append(process) }
                // One that lost its disk serves nobody.
                guard !roster.voteless.contains(process) else { continue }
                try submit(clients.put(to: process, knowing: judge.known, at: cluster.now), to: process)
                try submit(clients.read(at: process, knowing: judge.known, at: cluster.now), to: process)
            }
            for alarm in judge.alarms where !plan.hasQuota {
                let (raiser, asked) = (ProcessID(alarm.member), clients.pick(servants))
                try submit(clients.disarm([raiser], at: asked, judge.known, cluster.now), to: asked)
            }
            cluster.wake(Wake.probe, after: .milliseconds(500))
        }
    }

    /// Twice as long as it may take by a clock that is slow, and some beats. While faults strike a member may sleep, or
    /// have no room to do what it is asked to wait for.
    private func isLate(_ operation: MemberClients.Operation, since healed: Instant) -> Bool {
        max(operation.invoked, healed) + Self.requestTimeout * 2 + .seconds(6) < cluster.now
    }

    /// Everybody has applied everything, one leads, and no lease is left.
    private var isConverged: Bool {
        let leaders = roster.present.filter { cluster[$0]?.member?.replica.isLeader == true }
        return leaders.count == 1 && judge.leaseCount == 0
            && members.allSatisfy {
                judge.applied(at: $0) == judge.last && cluster[$0]?.member?.glance.leader == leaders[0]
            }
    }

    private func complaint(_ probed: [ProcessID]) -> String {
        let states = members.map { process in
            "\(process) has applied \(judge.applied(at: process)), follows "
                + "\(cluster[process]?.member?.glance.leader.map { "\($0)" } ?? "nobody")"
        }
        return
            "\(Self.patience) after faults stopped, of \(judge.last): \(states.joined(separator: "; ")); "
            + "\(judge.membership.configuration), \(probed) probed, \(clients.pending.count) unanswered, \(judge.leaseCount) leases, \(judge.alarms); "
            + "not told: \(watches.complaint(judge))"
    }
}
