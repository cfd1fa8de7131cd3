import Automata
import Paxos
import Replica
import Simulation

/// What hosts of replicas send each other. Messages of the protocol travel in their wire form, so that the
/// codec is under test too.
enum HostMessage: TraceValue {
    ///
    /// `formation`: the nonce of the formation by which the sender's connection is known.
    case replica([UInt8], isBulk: Bool, formation: UInt64)
    case transfer(TransferMessage, formation: UInt64)
    case formation([UInt8])

    init(_ message: ReplicaMessage, formation: UInt64) {
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        self = .replica(bytes, isBulk: message.isBulk, formation: formation)
    }

    init(_ message: FormationMessage) {
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        self = .formation(bytes)
    }

    /// Whether a process with this formation, or none, listens to it.
    func isFor(_ own: UInt64?) -> Bool {
        switch self {
        case .replica(_, _, let formation), .transfer(_, let formation): formation == own
        case .formation: true
        }
    }

    func trace(into hash: inout StableHash) {
        switch self {
        case .replica(let bytes, _, _), .formation(let bytes): hash.combine(bytes)
        case .transfer(let message, _): message.trace(into: &hash)
        }
    }

    var traceText: String {
        switch self {
        case .formation(let bytes):
            (try? bytes.withUnsafeBytes { try FormationMessage(decoding: $0) }).map { "\($0)" }
                ?? "unreadable"
        case .replica(let bytes, _, _):
            (try? bytes.withUnsafeBytes { try ReplicaMessage(decoding: $0) }).map { "\($0)" } ?? "unreadable"
        case .transfer(let message, _): message.traceText
        }
    }

    var parcel: Parcel {
        switch self {
        case .replica(let bytes, let isBulk, _): Parcel(bytes: bytes.count, lane: isBulk ? .bulk : .urgent)
        case .formation(let bytes): Parcel(bytes: bytes.count, lane: .urgent)
        case .transfer(let message, _): Parcel(bytes: message.size, lane: .transfer)
        }
    }
}

/// What two processes say to each other about one checkpoint, as on a connection of its own. The sender numbers it,
/// differently in each of its lives.
struct TransferMessage: Hashable {
    enum Content: Hashable {
        /// Whether the receiver takes one now; it does when it says that it has taken nothing yet.
        case greeting
        /// The image travels in the last piece; what the others hold is only their size.
        case piece(Int, of: Int, bytes: Int, image: [UInt8])
        /// So many pieces were taken.
        case taken(Int)
        case alive
        case installed
        /// This side has given it up, or never began.
        case ended
    }

    let number: UInt64
    let content: Content

    var size: Int {
        if case .piece(_, _, let bytes, let image) = content { return bytes + image.count }
        return 32
    }

    func trace(into hash: inout StableHash) {
        hash.combine(number)
        switch content {
        case .piece(let index, _, _, let image):
            hash.combine(UInt64(index))
            hash.combine(image)
        case .taken(let count): hash.combine(UInt64(count) << 8 | 1)
        case .alive: hash.combine(2)
        case .installed: hash.combine(3)
        case .ended: hash.combine(4)
        case .greeting: hash.combine(5)
        }
    }

    var traceText: String {
        switch content {
        case .piece(let index, let count, let bytes, let image):
            "checkpoint \(number % 1_000), piece \(index + 1) of \(count), \(bytes + image.count) bytes"
        default: "checkpoint \(number % 1_000): \(content)"
        }
    }
}

enum HostTimer: Hashable, TraceValue {
    case replica(ReplicaTimer)
    /// The state machine takes the next entries.
    case apply
    /// A look at the checkpoint that is being sent to this process.
    case sending(ProcessID)
    /// One that could not be sent may be tried again.
    case sendAgain(ProcessID)
    /// A look at the checkpoint that is being received.
    case receiving
    /// The next round of questions about the cluster's formation.
    case founding

    func trace(into hash: inout StableHash) {
        switch self {
        case .replica(.election): hash.combine(1)
        case .replica(.heartbeat): hash.combine(2)
        case .replica(.resend): hash.combine(3)
        case .apply: hash.combine(4)
        case .founding: hash.combine(5)
        case .receiving: hash.combine(6)
        case .sending(let process): hash.combine(1 << 32 + process.rawValue)
        case .sendAgain(let process): hash.combine(2 << 32 + process.rawValue)
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
