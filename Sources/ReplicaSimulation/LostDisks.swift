import Automata
import Paxos
import Replica
import Simulation

/// The name of each process's present disk, and nonces, drawn once for all from the seed. A reference, as the
/// harness and whoever starts processes share it.
final class DiskNames {
    private var random: SeededRandom
    private var names: [(process: ProcessID, disk: DiskID)] = []

    init(seed: UInt64) { random = SeededRandom(seed: seed ^ 0x6469_736b) }

    func disk(of process: ProcessID) -> DiskID {
        if let found = names.first(where: { $0.process == process }) { return found.disk }
        names.append((process, DiskID(random.next() | 1)))
        return names[names.count - 1].disk
    }

    func replace(_ process: ProcessID) { names.removeAll { $0.process == process } }

    func drawNonce() -> UInt64 { random.next() | 1 }
}

/// Which members have lost what, so that a run takes no more than the others can do without, and knows what
/// is to be expected of those that did.
struct LostDisks {
    enum Part: CaseIterable {
        case everything, log, store
    }

    struct Loss {
        let process: ProcessID
        let part: Part
    }

    /// Whose votes can be missing.
    private var voteless: [ProcessID] = []
    private var withoutLog: [ProcessID] = []
    private var mayLackLog: [ProcessID] = []
    private var withoutStore: [ProcessID] = []
    private var refused: [ProcessID] = []
    private var formed: [ProcessID] = []

    var isEmpty: Bool { voteless.isEmpty }

    /// `nil` when nobody else's vote can be missing: the voters of the first configuration whose votes are left
    /// must hold a quorum for either phase.
    func draw(among plan: RunPlan, _ random: inout SeededRandom) -> Loss? {
        let process = random.element(plan.members)
        let part = random.element(Part.allCases)
        let left = plan.members.filter { $0 != process && !voteless.contains($0) }
        guard !refused.contains(process), !withoutLog.contains(process),
            plan.bootstrap.isPhase1Quorum(left), plan.bootstrap.isPhase2Quorum(left)
        else { return nil }
        return Loss(process: process, part: part)
    }

    mutating func note(_ loss: Loss) {
        if !voteless.contains(loss.process) { voteless.append(loss.process) }
        switch loss.part {
        case .everything:
            formed.removeAll { $0 == loss.process }
            withoutStore.removeAll { $0 == loss.process }
            mayLackLog.removeAll { $0 == loss.process }
        case .log:
            if formed.contains(loss.process) { withoutLog.append(loss.process) }
            // It may have made the formation durable and not have said so yet.
            mayLackLog.append(loss.process)
        case .store: withoutStore.append(loss.process)
        }
    }

    /// Returns whether the process has no vote in this formation, although it is one of the members. (Where
    /// voters are known by their names alone, whoever has the name has the vote.)
    mutating func noteFormed(_ process: ProcessID, _ formation: Formation, _ disk: DiskID) -> Bool {
        if !formed.contains(process) { formed.append(process) }
        guard formation.configuration.isVoter(process), !formation.founders.isEmpty,
            !formation.isFounder(process, disk)
        else { return false }
        if !voteless.contains(process) { voteless.append(process) }
        return true
    }

    mutating func noteRefused(_ process: ProcessID) { refused.append(process) }

    func knowsFormation(_ process: ProcessID) -> Bool { formed.contains(process) }
    func hasLostVote(_ process: ProcessID) -> Bool { voteless.contains(process) }
    func isRefused(_ process: ProcessID) -> Bool { refused.contains(process) }
    func mustNotStart(_ process: ProcessID) -> Bool { withoutLog.contains(process) }
    /// The log may still hold everything that a lost store held.
    func mayRefuse(_ process: ProcessID) -> Bool {
        mayLackLog.contains(process) || withoutStore.contains(process)
    }
}
