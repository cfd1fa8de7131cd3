import Automata
import Paxos
import Replica
import Simulation

/// What a process keeps beside its log and its state machine: the name of its disk, and how its cluster began.
struct HostIdentity: Hashable {
    static let cell: UInt64 = 1

    let disk: DiskID
    var formation: Formation?
    /// Whether it is still to be made durable for the first time.
    let isNew: Bool

    init(_ found: SimulatedDisk, _ settings: ReplicaHost.Settings) {
        isNew = found.cell(Self.cell) == nil
        guard let bytes = found.cell(Self.cell) else {
            disk = settings.drawnDisk
            if settings.flaw == .emptyMembersVote { formation = Self.assumed(settings) }
            return
        }
        disk = DiskID(bytes.withUnsafeBytes { $0.littleEndian(UInt64.self, at: 0) })
        guard bytes.count > 8 else { return }
        formation = try? bytes[8...].withUnsafeBytes { try Formation(decoding: $0) }
        precondition(formation != nil, "the identity of \(settings.replica.process) cannot be read")
    }

    /// As if the flags said all that there is to know about how the cluster began.
    private static func assumed(_ settings: ReplicaHost.Settings) -> Formation? {
        let first = try? Configuration(voters: settings.members, quorums: settings.quorums)
        return first.map {
            Formation(
                nonce: 1, configuration: settings.members.contains(settings.replica.process) ? $0 : .unknown)
        }
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(disk.rawValue)
        formation?.encode(into: &bytes)
        return bytes
    }

    /// Throws when something that was there is gone.
    func judge(_ found: SimulatedDisk, hasLog: Bool, _ flaw: HostFlaw?) throws(ReplicaRecoveryError) {
        if flaw == .startsWithoutLog { return }
        let inventory = Inventory(
            hasIdentity: !isNew, isFormed: formation != nil, hasLog: hasLog,
            hasStore: found.cell(0) != nil)
        if let loss = inventory.loss { throw ReplicaRecoveryError("the \(loss) is gone") }
    }
}

/// How far a process is with finding out how its cluster began.
struct HostFounding {
    var automaton: Founding
    var outputs: [Founding.Output] = []
    /// The formation that waits for the log's first record, and the store that makes it durable.
    var waiting: Formation?
    var store: UInt64?
    /// The store that makes the identity durable for the first time.
    var firstStore: UInt64?
    var hasDurableLog: Bool

    init(_ identity: HostIdentity, _ settings: ReplicaHost.Settings, hasLog: Bool) {
        var founding = Founding.Settings(
            process: settings.replica.process, disk: identity.disk, members: settings.members,
            nonce: settings.drawnNonce)
        founding.interval = settings.replica.heartbeatInterval
        founding.isNew = settings.members.contains(settings.replica.process)
        founding.quorums = settings.quorums
        automaton = Founding(settings: founding, formation: identity.formation)
        hasDurableLog = hasLog
    }
}

extension ReplicaHost {
    /// Nothing is said or written before the name of the disk is durable.
    mutating func onStart(into outputs: inout [Output]) {
        if let formation = identity.formation { outputs.append(.report(.began(formation))) }
        guard identity.isNew else { return begin(into: &outputs) }
        founding.firstStore = storeIdentity(into: &outputs)
    }

    private mutating func begin(into outputs: inout [Output]) {
        do {
            try makeLog()
        } catch {
            return outputs.append(.report(.refusedToStart("\(error)")))
        }
        inputs.append(.start)
        found(.start, into: &outputs)
    }

    private mutating func storeIdentity(into outputs: inout [Output]) -> UInt64 {
        stores += 1
        outputs.append(.store(identity.bytes, cell: HostIdentity.cell))
        return stores
    }

    mutating func onFormationMessage(_ bytes: [UInt8], _ from: ProcessID, into outputs: inout [Output]) {
        guard let message = try? bytes.withUnsafeBytes({ try FormationMessage(decoding: $0) }) else {
            preconditionFailure("\(settings.replica.process) cannot read \(bytes) from \(from)")
        }
        // A process that is still being made has no disk to speak of.
        if founding.firstStore == nil { found(.received(message, from: from), into: &outputs) }
    }

    mutating func found(_ input: Founding.Input, into outputs: inout [Output]) {
        founding.outputs.removeAll(keepingCapacity: true)
        founding.automaton.step(input, at: .zero, into: &founding.outputs)
        for output in founding.outputs {
            switch output {
            case .send(let message, let to):
                outputs.append(.send(HostMessage(message), to: to, after: .none))
            case .setTimer(let range): outputs.append(.setTimer(.founding, after: range))
            case .record(let formation):
                founding.waiting = formation
                record(into: &outputs)
            case .begin(let formation):
                outputs.append(.report(.began(formation)))
                if machine.configuration.epoch == 0 { machine.configuration = formation.configuration }
                inputs.append(.formed(formation.configuration))
            }
        }
    }

    mutating func onLogDurable(into outputs: inout [Output]) {
        founding.hasDurableLog = true
        record(into: &outputs)
    }

    /// A formation says that there is a log, so there must be one before.
    private mutating func record(into outputs: inout [Output]) {
        guard founding.hasDurableLog, let formation = founding.waiting, founding.store == nil else { return }
        identity.formation = formation
        founding.store = storeIdentity(into: &outputs)
        identity.formation = nil
    }

    mutating func onIdentityStored(_ store: RecordNumber, into outputs: inout [Output]) {
        if let first = founding.firstStore, first <= store.rawValue {
            founding.firstStore = nil
            begin(into: &outputs)
        }
        if let number = founding.store, number <= store.rawValue, let formation = founding.waiting {
            founding.waiting = nil
            identity.formation = formation
            found(.recorded, into: &outputs)
        }
    }
}
