import Automata
import Paxos

@testable import Replica

/// A small generator whose draws are the same everywhere. (Steele, Lea, Flood, Fast splittable pseudorandom
/// number generators, OOPSLA 2014.)
struct SplitMix {
    var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// Draws what happens to a cluster: everything that may go wrong at once, then nothing any more, after which
/// every process must come to the same state.
struct RandomRun {
    struct Faults {
        var drop = 5
        var duplicate = 5
        var crash = true
        var partition = true
        var reconfigure = false
        var lease = false
        var steps = 4000
    }

    final class Draws {
        var source: SplitMix
        init(_ seed: UInt64) { source = SplitMix(seed: seed) }
    }

    let faults: Faults
    let draws: Draws
    var cluster: Cluster
    var proposed: UInt64 = 0
    var proposals: Set<ProposalID> = []
    var reads: UInt64 = 0
    /// By process and read: what had been applied somewhere when the read came.
    var readFloors: [[UInt64]: Int] = [:]
    var answeredReads = 0
    var leaders: [Ballot: ProcessID] = [:]

    init(seed: UInt64, voters: Int, others: Int = 0, quorums: QuorumSystem = .majority, _ faults: Faults)
        throws
    {
        self.faults = faults
        draws = Draws(seed)
        let all = (1...UInt64(voters + others)).map(ProcessID.init)
        let bootstrap = try Configuration(voters: Array(all.prefix(voters)), quorums: quorums)
        cluster = Cluster(all, bootstrap: bootstrap) {
            $0.heartbeatInterval = .milliseconds(20)
            $0.electionTimeout = .milliseconds(200)
            $0.catchUpEntries = 12
            $0.batchBytesLimit = 200
            $0.entriesInFlightLimit = 40
            $0.messagesInFlightLimit = 4
            if faults.lease { $0.leaseReadsClockDriftPPM = 1000 }
        }
        let draws = draws
        cluster.random = { range in
            range.lowerBound + draws.source.next() % (range.upperBound - range.lowerBound + 1)
        }
    }

    mutating func run() -> [String] {
        cluster.startAll()
        for _ in 0..<faults.steps {
            faultyStep()
            check()
            if !cluster.violations.isEmpty { return cluster.violations }
        }
        settle()
        return cluster.violations
    }

    private mutating func faultyStep() {
        cluster.now = cluster.now + TimeSpan(nanoseconds: UInt64(draws.source.below(3_000_000)))
        let process = cluster.hosts[draws.source.below(cluster.hosts.count)].process
        fireDueTimers()
        switch draws.source.below(100) {
        case 0..<55: deliverSome()
        case 55..<70: cluster.sync(process)
        case 70..<80: propose(at: process)
        case 80..<85: read(at: process)
        case 85..<88: cluster.store(process)
        case 88..<90:
            if let some = cluster.checkpointsInTransit.first {
                if draws.source.chance(70) {
                    cluster.arrive(some)
                } else {
                    cluster.checkpointsInTransit.removeFirst()
                    cluster.step(.checkpointFailed(some.receiver), at: some.sender)
                    cluster.step(.checkpointFailed(some.sender), at: some.receiver)
                }
            }
        case 90..<92 where faults.crash: cluster.crash(process)
        case 92..<95: cluster.start(process)
        case 95 where faults.partition: repartition()
        case 96 where faults.partition: cluster.cut = []
        case 97:
            cluster.step(
                .transferRequested(to: cluster.hosts[draws.source.below(cluster.hosts.count)].process),
                at: process)
        case 98 where faults.reconfigure: reconfigure(at: process)
        default: deliverSome()
        }
    }

    private mutating func deliverSome() {
        for _ in 0..<(1 + draws.source.below(4)) {
            guard !cluster.network.isEmpty else { return }
            // Mostly in order, sometimes any.
            let index = draws.source.chance(70) ? 0 : draws.source.below(cluster.network.count)
            let envelope = cluster.network[index]
            if !draws.source.chance(faults.duplicate) { cluster.network.remove(at: index) }
            if draws.source.chance(faults.drop) { continue }
            cluster.deliver(envelope)
        }
    }

    private mutating func fireDueTimers() {
        for host in cluster.hosts where host.replica != nil {
            for (timer, due) in host.timers where due <= cluster.now {
                cluster.fire(timer, at: host.process)
            }
        }
    }

    private mutating func propose(at process: ProcessID) {
        guard let replica = cluster.hosts[cluster.index(process)].replica else { return }
        var some: [Proposal] = []
        for _ in 0...draws.source.below(4) {
            proposed += 1
            let id = ProposalID(process: process, number: replica.incarnation << 32 | proposed)
            proposals.insert(id)
            some.append(Proposal(id: id, payload: Payload("v\(proposed)")))
        }
        cluster.step(.proposed(some), at: process)
    }

    private mutating func read(at process: ProcessID) {
        guard cluster.hosts[cluster.index(process)].replica != nil else { return }
        reads += 1
        readFloors[[process.rawValue, reads]] = cluster.history.count
        cluster.step(.readRequested(ReadID(reads)), at: process)
    }

    private mutating func repartition() {
        cluster.cut = []
        for one in cluster.hosts {
            for other in cluster.hosts where one.process != other.process && draws.source.chance(35) {
                cluster.cut.insert([one.process, other.process])
            }
        }
    }

    private mutating func reconfigure(at process: ProcessID) {
        guard let replica = cluster.hosts[cluster.index(process)].replica else { return }
        let some = cluster.hosts[draws.source.below(cluster.hosts.count)].process
        let other = cluster.hosts[draws.source.below(cluster.hosts.count)].process
        // An id that was removed never comes back.
        guard !cluster.hosts[cluster.index(some)].isGone(cluster.history) else { return }
        let change: ConfigurationChange
        switch draws.source.below(5) {
        case 0: change = .add(some, asLearner: true)
        case 1: change = .add(some, asLearner: false)
        case 2 where replica.configuration.voters.count > 2: change = .remove(some)
        case 3 where !cluster.hosts[cluster.index(other)].isGone(cluster.history):
            change = .replace(some, with: other)
        default: change = .promote(some)
        }
        proposed += 1
        let id = ProposalID(process: process, number: replica.incarnation << 32 | proposed)
        cluster.step(.reconfigurationRequested(id, change), at: process)
    }

    private mutating func check() {
        for host in cluster.hosts {
            guard let replica = host.replica else { continue }
            for (id, slot) in host.reads {
                guard let floor = readFloors.removeValue(forKey: [host.process.rawValue, id.number]) else {
                    continue
                }
                if let slot {
                    answeredReads += 1
                    if Int(slot.rawValue) < floor {
                        cluster.violations.append(
                            "a read at \(host.process) was answered at \(slot), after slot \(floor) was applied"
                        )
                    }
                }
            }
            if replica.isLeader {
                if let other = leaders[replica.ballot], other != host.process {
                    cluster.violations.append("\(other) and \(host.process) both lead at \(replica.ballot)")
                }
                leaders[replica.ballot] = host.process
            }
        }
        // Scanning all of it every time would be slow; what is new is enough.
        while checked < cluster.history.count {
            if case .payload(let id, _) = cluster.history[checked] {
                if !proposals.contains(id) { cluster.violations.append("\(id) was never proposed") }
                if !seen.insert(id).inserted { cluster.violations.append("\(id) was chosen twice") }
            }
            checked += 1
        }
    }
    private var checked = 0
    private var seen: Set<ProposalID> = []

    /// Faults end; within a few election timeouts everybody must have the same, and serve.
    private mutating func settle() {
        cluster.cut = []
        cluster.startAll()
        var probe: ProposalID?
        for round in 0..<6000 {
            cluster.now = cluster.now + .milliseconds(1)
            fireDueTimers()
            for host in cluster.hosts { cluster.sync(host.process) }
            let batch = cluster.network
            cluster.network = []
            for envelope in batch { cluster.deliver(envelope) }
            while let some = cluster.checkpointsInTransit.first { cluster.arrive(some) }
            check()
            if !cluster.violations.isEmpty { return }
            if round % 500 == 499, round < 5000,
                let leader = cluster.hosts.first(where: { $0.replica?.isLeader == true })
            {
                proposed += 1
                let id = ProposalID(
                    process: leader.process, number: leader.replica!.incarnation << 32 | proposed)
                proposals.insert(id)
                probe = id
                cluster.step(
                    .proposed([Proposal(id: id, payload: Payload("end"))]), at: leader.process)
            }
        }
        guard let probe, seen.contains(probe) else {
            cluster.violations.append("nothing is chosen after the faults have ended\n\(description)")
            return
        }
        let configuration = cluster.hosts.first { $0.replica?.isLeader == true }!.replica!.configuration
        for host in cluster.hosts where configuration.isMember(host.process) {
            if host.applied.count != cluster.history.count {
                cluster.violations.append(
                    "\(host.process) ends at \(host.applied.count) of \(cluster.history.count)\n\(description)"
                )
            }
        }
    }

    var description: String {
        cluster.hosts.map { host in
            guard let replica = host.replica else { return "\(host.process) down" }
            return
                "\(host.process) ballot \(replica.ballot) leader \(replica.leader.map(\.description) ?? "-") chosen \(replica.chosenUpTo) accepted \(replica.acceptedUpTo) floor \(replica.acceptor.accepted.floor) applied \(replica.appliedUpTo) epoch \(replica.configuration.epoch) \(replica.configuration.voters) leads \(replica.isLeader) barrier \(replica.leadership?.barrier as Any) preparing \(replica.preparing?.progress as Any) retired \(replica.isRetired)"
        }.joined(separator: "\n")
    }
}

extension Host {
    /// Whether it was a member and is none by the end of this history.
    func isGone(_ history: [Entry]) -> Bool {
        var was = bootstrap.isMember(process)
        var gone = false
        for case .configuration(_, let configuration) in history {
            if configuration.isMember(process) {
                was = true
                gone = false
            } else if was {
                gone = true
            }
        }
        return gone
    }
}
