import Automata
import Paxos
import Replica
import Simulation

/// What hosts of replicas send each other. Messages of the protocol travel in their wire form, so that the
/// codec is under test too.
enum HostMessage: TraceValue {
    ///
    /// `formation`: the nonce of the formation by which the sender's connection is known.
    case replica([UInt8], formation: UInt64)
    /// A checkpoint, as on a connection of its own; numbered by its sender.
    case checkpoint(number: UInt64, image: [UInt8], formation: UInt64)
    case checkpointInstalled(number: UInt64)
    case formation([UInt8])

    init(_ message: ReplicaMessage, formation: UInt64) {
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        self = .replica(bytes, formation: formation)
    }

    init(_ message: FormationMessage) {
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        self = .formation(bytes)
    }

    /// Whether a process with this formation, or none, listens to it.
    func isFor(_ own: UInt64?) -> Bool {
        switch self {
        case .replica(_, let formation), .checkpoint(_, _, let formation): formation == own
        case .checkpointInstalled, .formation: true
        }
    }

    func trace(into hash: inout StableHash) {
        switch self {
        case .replica(let bytes, _), .formation(let bytes):
            hash.combine(bytes)
        case .checkpoint(let number, let image, _):
            hash.combine(number)
            hash.combine(image)
        case .checkpointInstalled(let number):
            hash.combine(number)
        }
    }

    var traceText: String {
        switch self {
        case .formation(let bytes):
            (try? bytes.withUnsafeBytes { try FormationMessage(decoding: $0) }).map { "\($0)" }
                ?? "unreadable"
        case .replica(let bytes, _):
            (try? bytes.withUnsafeBytes { try ReplicaMessage(decoding: $0) }).map { "\($0)" } ?? "unreadable"
        case .checkpoint(let number, let image, _): "checkpoint \(number) of \(image.count) bytes"
        case .checkpointInstalled(let number): "checkpointInstalled \(number)"
        }
    }
}

enum HostTimer: Hashable, TraceValue {
    case replica(ReplicaTimer)
    /// The state machine takes the next entries.
    case apply
    /// A checkpoint that was sent to this process should have been installed by now.
    case checkpoint(ProcessID)
    /// The next round of questions about the cluster's formation.
    case founding

    func trace(into hash: inout StableHash) {
        switch self {
        case .replica(.election): hash.combine(1)
        case .replica(.heartbeat): hash.combine(2)
        case .replica(.resend): hash.combine(3)
        case .apply: hash.combine(4)
        case .founding: hash.combine(5)
        case .checkpoint(let process): hash.combine(5 + process.rawValue)
        }
    }

    var traceText: String { "\(self)" }
}

enum HostRequest: TraceValue {
    case propose([Proposal])
    case read(ReadID)
    case transfer(to: ProcessID)
    case reconfigure(ProposalID, ConfigurationChange)

    func trace(into hash: inout StableHash) {
        switch self {
        case .propose(let proposals):
            for proposal in proposals {
                hash.combine(proposal.id.number)
                hash.combine(proposal.payload.bytes)
            }
        case .read(let id): hash.combine(id.number)
        case .transfer(let process): hash.combine(process.rawValue)
        case .reconfigure(let id, _): hash.combine(id.number)
        }
    }

    var traceText: String {
        switch self {
        case .propose(let proposals): "propose \(proposals.map(\.id))"
        case .read(let id): "read \(id.number)"
        case .transfer(let process): "transfer to \(process)"
        case .reconfigure(let id, let change): "reconfigure \(id) \(change)"
        }
    }
}

/// What a host tells the harness.
enum HostReport: TraceValue {
    /// The state machine was found on disk as it was after this slot.
    case recovered(upTo: Slot, StableHash)
    /// These records were found in the log.
    case found([ReplicaRecord])
    case wrote(ReplicaRecord)
    /// All records of this life up to this one are durable.
    case madeDurable(upTo: RecordNumber)
    /// A message was let go although it rests on something that is not durable.
    case letGo(String)
    case passed(RunPoint)
    /// The disk holds what it must not hold, and the process did not start.
    case refusedToStart(String)
    /// The cluster was formed, and this process knows it durably.
    case began(Formation)
    case applied(first: Slot, [Entry], StableHash)
    case installed(upTo: Slot, StableHash)
    case answeredRead(ReadID, from: Slot)
    case refusedRead(ReadID, Refusal)
    case refusedProposal(ProposalID, Refusal)
    case finishedTransfer(to: ProcessID, Refusal?)
    case leaderChanged(ProcessID?, Ballot)
    case configurationChanged(Configuration)
    case trimmed(before: Slot)
    case sentCheckpoint(to: ProcessID)
    case retired
    /// Somebody knows something to be chosen that no quorum can have chosen.
    case contradicted(by: ProcessID, at: Slot)

    var traceText: String { "\(self)" }
}
