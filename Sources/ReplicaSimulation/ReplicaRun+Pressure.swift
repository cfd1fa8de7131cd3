import Automata
import Simulation

/// Links that are whole, and more to carry than they can: whoever leads keeps its lead, and some of what clients
/// propose is chosen.
extension ReplicaRun {
    mutating func press(_ members: [ProcessID]) throws(Violation) {
        guard let value = plan.links.largeValue, let rate = plan.mix.network.bytesPerSecond,
            !plan.leavesSomeOut,
            members.count > 1
        else { return }
        let timeout = plan.host.replica.electionTimeout
        let gap = TimeSpan(nanoseconds: UInt64(value) * 500_000_000 / rate)
        // What leads nowhere when faults stop has been noticed by then.
        let begin = cluster.now + timeout * 4
        let end = begin + timeout * 8
        var before: (leader: ProcessID, chosen: UInt64)?
        cluster.wake(Wake.press, after: gap)
        while cluster.now < end, let occurrence = cluster.advance() {
            try onOccurrence(occurrence)
            guard occurrence == .woke(Wake.press) else { continue }
            if let before {
                try expectLeader(before.leader, of: members)
            } else if cluster.now >= begin {
                guard let leader = members.first(where: { cluster[$0]?.replica?.isLeader == true }) else {
                    throw Violation(.liveness, "nobody leads of \(members), whose links are whole and full")
                }
                before = (leader, checker.lastChosen.rawValue)
            }
            let process = clients.pick(members)
            try submit(clients.largeProposal(at: process), to: process)
            cluster.wake(Wake.press, after: gap)
        }
        guard let before else { return }
        guard checker.lastChosen.rawValue > before.chosen else {
            throw Violation(.liveness, "nothing is chosen in \(timeout * 8) while links are whole and full")
        }
        statistics.pressed += 1
    }

    private func expectLeader(_ leader: ProcessID, of members: [ProcessID]) throws(Violation) {
        for process in members where cluster[process]?.replica?.leader != leader {
            let now = cluster[process]?.replica?.leader.map { "\($0)" } ?? "nobody"
            throw Violation(
                .liveness, "\(process) follows \(now) and not \(leader), whose links are whole and full")
        }
    }
}
