import Automata
import Paxos
import Replica
import Simulation

/// The clients of a run: they ask random processes for things and judge the answers.
///
/// All they do is ordered by slots, so a history is linearizable exactly when every operation finds a slot
/// that respects real time: a write later than everything that was known when it began, a read not earlier.
struct SimulatedClients {
    private struct Operation {
        let process: ProcessID
        /// The highest slot that some client knew of when the operation began.
        let floor: Slot
    }

    private var random: SeededRandom
    private var writes: [ProposalID: Operation] = [:]
    private var reads: [UInt64: Operation] = [:]
    private var numbers: UInt64 = 0
    /// The highest slot that was acknowledged to or seen by some client.
    private(set) var known = Slot.zero
    /// The highest slot that some process has shown to be chosen. Nobody need have told a client yet; but a read
    /// that comes later than this must see it, as whoever answers has to be, or to hear of, the leader that chose
    /// it or a later one.
    private var shown = Slot.zero
    private(set) var statistics = RunStatistics()
    private var answered: Set<UInt64> = []
    /// Processes that a change of the configuration has named or may still name.
    private var unusedSpares: [ProcessID]

    /// How large the values are that fill a slow link, and in how many of a thousand requests they come.
    private let large: (bytes: Int, perMille: UInt64)?

    init(spares: [ProcessID], large: (bytes: Int, perMille: UInt64)?, random: SeededRandom) {
        unusedSpares = spares
        self.large = large
        self.random = random
    }

    // MARK: Asking

    private mutating func nextNumber() -> UInt64 {
        numbers += 1
        return numbers
    }

    mutating func gap(_ mean: TimeSpan) -> TimeSpan {
        TimeSpan(nanoseconds: random.below(2 * mean.nanoseconds) + 1)
    }

    mutating func pick(_ processes: [ProcessID]) -> ProcessID { random.element(processes) }

    /// Something that a client asks of `process`.
    mutating func request(
        to process: ProcessID, _ configuration: Configuration, _ plan: RunPlan, movesNobody: Bool,
        disk: (ProcessID) -> DiskID?
    ) -> (request: HostRequest, starting: ProcessID?) {
        let draw = random.below(1_000)
        if draw < plan.transfersPerMille, !movesNobody {
            return (.transfer(to: random.element(configuration.voters)), nil)
        }
        if draw < plan.transfersPerMille + 14, plan.reconfigures, !movesNobody,
            let change = change(of: configuration, plan, disk)
        {
            let id = ProposalID(process: process, number: nextNumber())
            writes[id] = Operation(process: process, floor: known)
            statistics.proposed += 1
            let joining: ProcessID? =
                switch change {
                case .add(let process, _, _), .replace(_, let process, _): process
                default: nil
                }
            return (.reconfigure(id, change), joining)
        }
        if draw < 400 { return (read(at: process), nil) }
        if let large, random.below(1_000) < large.perMille { return (largeProposal(at: process), nil) }
        return (proposals(at: process, count: random.chance(200_000) ? random.number(in: 1...8) : 1), nil)
    }

    mutating func read(at process: ProcessID) -> HostRequest {
        let number = nextNumber()
        reads[number] = Operation(process: process, floor: max(known, shown))
        return .read(ReadID(number))
    }

    mutating func largeProposal(at process: ProcessID) -> HostRequest {
        let id = ProposalID(process: process, number: nextNumber())
        writes[id] = Operation(process: process, floor: known)
        statistics.proposed += 1
        return .propose([Proposal(id: id, payload: Payload(Array(repeating: 46, count: large?.bytes ?? 0)))])
    }

    mutating func proposals(at process: ProcessID, count: Int) -> HostRequest {
        .propose(
            (0..<count).map { _ in
                let id = ProposalID(process: process, number: nextNumber())
                writes[id] = Operation(process: process, floor: known)
                statistics.proposed += 1
                let size = random.chance(20_000) ? random.number(in: 1_000...5_000) : random.index(60)
                return Proposal(id: id, payload: Payload("\(id)" + String(repeating: ".", count: size)))
            })
    }

    private mutating func change(
        of configuration: Configuration, _ plan: RunPlan, _ disk: (ProcessID) -> DiskID?
    ) -> ConfigurationChange? {
        let voters = configuration.voters
        switch random.index(5) {
        case 0:
            guard let spare = unusedSpares.popLast() else { return nil }
            return .add(spare, asLearner: random.coin(), disk: disk(spare))
        case 1:
            guard voters.count > 2 else { return nil }
            return .remove(random.element(voters + configuration.learners))
        case 2:
            guard let spare = unusedSpares.popLast() else { return nil }
            return .replace(random.element(voters), with: spare, disk: disk(spare))
        case 3:
            guard let learner = configuration.learners.first else { return nil }
            return .promote(learner)
        default:
            let count = voters.count
            let phase2 = random.number(in: 1...count)
            return .setQuorums(
                random.coin() ? .majority : .flexible(phase1: count + 1 - phase2, phase2: phase2))
        }
    }

    // MARK: Judging

    mutating func onShown(_ chosen: Slot) { shown = max(shown, chosen) }

    mutating func onApplied(at process: ProcessID, first: Slot, _ entries: [Entry]) throws(Violation) {
        for (offset, entry) in entries.enumerated() {
            // Only the process that was asked answers its client.
            guard let id = entry.id, id.process == process, let operation = writes.removeValue(forKey: id)
            else { continue }
            let slot = first.advanced(by: offset)
            guard slot > operation.floor else {
                throw Violation(
                    .linearizability,
                    "\(id) was chosen in \(slot) and began when \(operation.floor) was known")
            }
            known = max(known, slot)
            statistics.acknowledged += 1
        }
    }

    mutating func onRefusedProposal(_ id: ProposalID, _ refusal: Refusal) {
        guard writes.removeValue(forKey: id) != nil else { return }
        if refusal == .outcomeUnknown { statistics.unknown += 1 } else { statistics.refused += 1 }
    }

    mutating func onAnsweredRead(_ id: ReadID, from slot: Slot) throws(Violation) {
        guard let operation = reads.removeValue(forKey: id.number) else {
            throw Violation(.invariant, "read \(id.number) was answered twice, or never asked")
        }
        guard slot >= operation.floor else {
            throw Violation(
                .linearizability,
                "read \(id.number) at \(operation.process) saw \(slot) and began when \(operation.floor) was known"
            )
        }
        known = max(known, slot)
        answered.insert(id.number)
        statistics.readsAnswered += 1
    }

    mutating func onRefusedRead(_ id: ReadID) {
        if reads.removeValue(forKey: id.number) != nil { statistics.readsRefused += 1 }
    }

    /// The clients of a process that went down learn nothing more.
    mutating func onCrash(of process: ProcessID) {
        let lost = writes.values.count { $0.process == process }
        statistics.unknown += lost
        writes = writes.filter { $0.value.process != process }
        reads = reads.filter { $0.value.process != process }
    }

    var unansweredWrites: Int { writes.count }
    func awaits(_ id: ProposalID) -> Bool { writes[id] != nil }
    func awaits(_ id: ReadID) -> Bool { reads[id.number] != nil }
    func wasAnswered(_ id: ReadID) -> Bool { answered.contains(id.number) }
}
