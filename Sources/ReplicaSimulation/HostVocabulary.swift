import Automata
import Paxos
import Replica
import Simulation

/// What hosts of replicas send each other. Messages of the protocol travel in their wire form, so that the
/// codec is under test too.
enum HostMessage: TraceValue {
    case replica([UInt8])
    /// A checkpoint, as on a connection of its own; numbered by its sender.
    case checkpoint(number: UInt64, image: [UInt8])
    case checkpointInstalled(number: UInt64)

    init(_ message: ReplicaMessage) {
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        self = .replica(bytes)
    }

    func trace(into hash: inout StableHash) {
        switch self {
        case .replica(let bytes):
            hash.combine(bytes)
        case .checkpoint(let number, let image):
            hash.combine(number)
            hash.combine(image)
        case .checkpointInstalled(let number):
            hash.combine(number)
        }
    }

    var traceText: String {
        switch self {
        case .replica(let bytes):
            (try? bytes.withUnsafeBytes { try ReplicaMessage(decoding: $0) }).map { "\($0)" } ?? "unreadable"
        case .checkpoint(let number, let image): "checkpoint \(number) of \(image.count) bytes"
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

    func trace(into hash: inout StableHash) {
        switch self {
        case .replica(.election): hash.combine(1)
        case .replica(.heartbeat): hash.combine(2)
        case .replica(.resend): hash.combine(3)
        case .apply: hash.combine(4)
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

    var traceText: String { "\(self)" }
}
