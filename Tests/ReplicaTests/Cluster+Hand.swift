import Automata
import Paxos

@testable import Replica

/// What tests that lead a cluster by the hand have in common.
extension Cluster {
    /// A cluster in which everybody is a voter and has started, and nobody leads.
    static func started(
        _ count: UInt64, _ adjust: (inout Replica.Settings) -> Void = { _ in }
    ) -> Cluster {
        let all = (1...count).map { ProcessID($0) }
        var cluster = Cluster(all, bootstrap: Configuration(voters: all), adjust)
        cluster.startAll()
        cluster.settle()
        // Longer than any process has to keep quiet after its start.
        cluster.now = cluster.now + .seconds(5)
        return cluster
    }

    var everybody: [ProcessID] { hosts.map(\.process) }

    /// Delivers and syncs among some processes until nothing is under way between them, checkpoints included.
    mutating func settle(among some: [ProcessID]? = nil) {
        let some = some ?? everybody
        while true {
            for process in some where !self[process.rawValue].pending.isEmpty { sync(process) }
            let next = network.firstIndex { some.contains($0.sender) && some.contains($0.receiver) }
            let checkpoint = checkpointsInTransit.first {
                some.contains($0.sender) && some.contains($0.receiver)
            }
            if let next {
                deliver(network.remove(at: next))
            } else if let checkpoint {
                arrive(checkpoint)
            } else {
                return
            }
        }
    }

    /// Lets the process stand and be elected by `some`.
    mutating func elect(_ process: UInt64, among some: [ProcessID]? = nil) {
        fire(.election, at: ProcessID(process))
        settle(among: some)
    }

    /// Everything on its way on one link, taken off the network.
    mutating func take(
        _ sender: UInt64, _ receiver: UInt64, where isWanted: (ReplicaMessage) -> Bool = { _ in true }
    ) -> [Envelope] {
        let some = network.filter {
            $0.sender == ProcessID(sender) && $0.receiver == ProcessID(receiver) && isWanted($0.message)
        }
        network.removeAll { some.contains($0) }
        return some
    }

    mutating func deliverAll(_ sender: UInt64, _ receiver: UInt64) {
        for envelope in take(sender, receiver) { deliver(envelope) }
    }

    mutating func propose(_ text: String, _ number: UInt64, at process: UInt64) {
        let id = ProposalID(process: ProcessID(process), number: number)
        step(.proposed([Proposal(id: id, payload: Payload(text))]), at: id.process)
    }

    /// Cuts every link between two groups, in both directions.
    mutating func separate(_ some: [UInt64], _ others: [UInt64]) {
        for one in some {
            for other in others {
                cut.formUnion([[ProcessID(one), ProcessID(other)], [ProcessID(other), ProcessID(one)]])
            }
        }
    }

    /// Time passes and timers fire, at some processes; what they send each other arrives at once.
    mutating func run(_ span: TimeSpan, among some: [ProcessID]) {
        let end = now + span
        while now < end {
            now = now + .milliseconds(10)
            for process in some {
                for (timer, due) in self[process.rawValue].timers where due <= now {
                    fire(timer, at: process)
                }
            }
            settle(among: some)
        }
    }

    /// Whether some process has applied this text.
    func hasApplied(_ text: String) -> Bool {
        history.contains { if case .payload(_, let it) = $0 { it == Payload(text) } else { false } }
    }
}
