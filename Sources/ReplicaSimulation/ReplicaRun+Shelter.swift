import Automata
import Paxos
import Replica
import Simulation

/// Liveness in the middle of faults: a quorum whose links, disks and machines are good must choose what its
/// clients propose and answer what they read, in bounded time, whatever the others do. They go on crashing,
/// pausing, flapping, and hearing without being heard.
extension ReplicaRun {
    struct Shelter {
        let healthy: [ProcessID]
        let epoch: UInt64
        let begun: Instant
        var probes: [Probe]
    }

    /// Both a phase-1 and a phase-2 quorum, and nobody else.
    ///
    /// A leader whose links are slow may go on leading at the pace of its links, and that is well so. Where links are
    /// slow the one that leads is spared with the others.
    mutating func drawnQuorum(_ configuration: Configuration) -> [ProcessID] {
        var healthy: [ProcessID] = []
        var voters = random.shuffled(configuration.voters.filter { !lost.hasLostVote($0) })
        if plan.mix.network.bytesPerSecond != nil {
            voters = voters.filter { isLeading($0) } + voters.filter { !isLeading($0) }
        }
        for voter in voters
        where !(configuration.isPhase1Quorum(healthy) && configuration.isPhase2Quorum(healthy)) {
            healthy.append(voter)
        }
        return healthy.sorted()
    }

    private func isLeading(_ process: ProcessID) -> Bool { cluster[process]?.replica?.isLeader == true }

    mutating func onShelterTime() throws(Violation) {
        guard let shelters = plan.shelters else { return }
        if shelter == nil {
            try beginShelter()
        } else if try isShelterOver(shelters.patience) {
            shelter = nil
            cluster.endShelter()
        }
        let pause = plan.host.replica.electionTimeout.nanoseconds / 4
        cluster.wake(Wake.shelter, after: shelter == nil ? shelters.every : TimeSpan(nanoseconds: pause))
    }

    private mutating func beginShelter() throws(Violation) {
        let configuration = witness.configuration
        // Nobody knows yet for whose sake a change is under way, nor who has lost a vote for it.
        guard !plan.reconfigures || lost.isEmpty else { return }
        let healthy = drawnQuorum(configuration)
        // Before that is known to all of them, the cluster waits for all its members.
        guard healthy.allSatisfy({ lost.knowsFormation($0) || !plan.members.contains($0) }) else { return }
        // A process that was removed and does not know it yet counts for nothing, and one that is to be added
        // may not have been started.
        guard healthy.allSatisfy({ !retired.contains($0) && cluster.incarnation(of: $0) > 0 }) else { return }
        for process in healthy where !cluster.isUp(process) { shown.removeAll { $0.process == process } }
        cluster.shelter(healthy)
        try onReports()
        // That the configuration in force is chosen may be known only to others, and they need not come back.
        guard healthy.contains(where: { cluster[$0]?.replica?.configuration.epoch == configuration.epoch })
        else {
            cluster.endShelter()
            return
        }
        shelter = Shelter(
            healthy: healthy, epoch: configuration.epoch, begun: cluster.now,
            probes: healthy.map { Probe(process: $0) })
    }

    /// Throws when the time is over and something is not done.
    private mutating func isShelterOver(_ patience: TimeSpan) throws(Violation) -> Bool {
        guard var shelter else { return true }
        // A change that was under way when the quorum was drawn may have made it none.
        guard witness.configuration.epoch == shelter.epoch else { return true }
        try probe(&shelter.probes, shelter.healthy)
        // More may be asked than a quorum can choose before clients give up: then it is enough to choose it at all.
        for index in shelter.probes.indices
        where shelter.probes[index].doubtful.contains(where: { checker.slot(of: $0) != nil }) {
            shelter.probes[index].write?.isDone = true
        }
        self.shelter = shelter
        let took = cluster.now.since(shelter.begun)
        if shelter.probes.allSatisfy(\.isDone) {
            statistics.shelters += 1
            let timeouts = took.nanoseconds * 10 / plan.host.replica.electionTimeout.nanoseconds
            statistics.longestShelterTenths = max(statistics.longestShelterTenths, Int(timeouts))
            return true
        }
        guard took < patience else {
            let event = "\(shelter.healthy) were spared, and nobody else"
            throw Violation(.liveness, complaint(shelter.probes, shelter.healthy, patience, after: event))
        }
        return false
    }
}
