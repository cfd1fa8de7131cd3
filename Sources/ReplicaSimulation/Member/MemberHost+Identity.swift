import Automata
import Coordination
import Member
import Paxos
import Replica
import Simulation

/// What a member keeps beside its log and its store: the name of its disk, and that its cluster is formed.
struct MemberIdentity {
    static let cell: UInt64 = 4

    let disk: DiskID
    /// Whether it is still to be made durable for the first time.
    let isNew: Bool
    fileprivate(set) var isFormed: Bool
    /// The store that names the disk, and the one that says that the cluster is formed; nil when they are done.
    fileprivate var naming: UInt64?
    fileprivate var forming: UInt64?

    init(_ found: SimulatedDisk, _ drawn: DiskID) {
        let bytes = found.cell(Self.cell)
        isNew = bytes == nil
        disk = bytes.map { DiskID($0[..<8].reversed().reduce(0) { $0 << 8 | UInt64($1) }) } ?? drawn
        isFormed = bytes.map { $0.count > 8 } ?? false
    }

    /// Nothing is said or written before the name of the disk is durable.
    var isBeingNamed: Bool { naming != nil }

    fileprivate var bytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: disk.rawValue >> (8 * UInt64($0))) }
    }

    /// Throws when something that was there is gone.
    func judge(_ found: SimulatedDisk, hasLog: Bool) throws(ReplicaRecoveryError) {
        let inventory = Inventory(
            hasIdentity: !isNew, isFormed: isFormed, hasLog: hasLog,
            hasStore: MemberHost.storeCells.contains { found.cell($0) != nil })
        if let loss = inventory.loss { throw ReplicaRecoveryError("the \(loss) is gone") }
    }
}

// A disk gets its name, then its log, then the formation of its cluster, each durable before the next. (How members find
// out how their cluster is formed is what `ReplicaHost` shows; here they know as soon as they may.)
extension MemberHost {
    mutating func nameDisk(_ outputs: inout [Output]) {
        stores += 1
        identity.naming = stores
        outputs.append(.store(identity.bytes, cell: MemberIdentity.cell))
    }

    mutating func whileNamed(_ input: Input, _ outputs: inout [Output]) {
        switch input {
        case .stored(let store):
            onIdentityStored(store.rawValue, &outputs)
            endTurn(&outputs)
        case .requested(.client(_, let client)): answer(client, .failure(.noLeader), &outputs)
        case .requested(.capacity(let bytes)): store.capacity = bytes.map { store.size.inUse + $0 }
        case .requested(.stop): outputs.append(.end)
        case .start, .received, .timerFired, .durable, .filesTurn, .requested(.watchers): break
        }
    }

    mutating func onIdentityStored(_ number: UInt64, _ outputs: inout [Output]) {
        if let first = identity.naming, first <= number {
            identity.naming = nil
            do {
                if log == nil { log = try SimulatedLog(files, segmentBytes: settings.segmentBytes) { _ in } }
            } catch {
                return outputs.append(.end)
            }
            begin(&outputs)
        }
        if let formed = identity.forming, formed <= number {
            identity.forming = nil
            identity.isFormed = true
            tell(.formed(settings.first), &outputs)
        }
    }

    /// A formation says that there is a log, so there must be one before.
    mutating func recordFormation(_ outputs: inout [Output]) {
        guard !identity.isFormed, identity.forming == nil else { return }
        stores += 1
        identity.forming = stores
        outputs.append(.store(identity.bytes + [1], cell: MemberIdentity.cell))
    }
}
