import Automata
import Paxos
import Replica

/// A place in the protocol that a run can come by and that is worth coming by: where there once was an error, or
/// where one would be dear. A sweep says how often each was hit, and which never were.
public enum RunPoint: String, Hashable, Sendable, CaseIterable {
    case tornTail = "torn tail repaired"
    case segmentBegun = "segment of a log begun"
    case segmentKept = "file of a segment kept to be used anew"
    case logFailed = "process ended because its log could not be written"
    case startedBehindStore = "started with the state machine ahead of what the log says is chosen"
    case startedAlone = "stood at once, as a quorum by itself"
    case checkpointAtLeader = "checkpoint installed at a leader"
    case checkpointAtCandidate = "checkpoint installed at a candidate"
    case checkpointBelowLog = "checkpoint overtaken by the log"
    case sendingGivenUp = "checkpoint given up by its sender"
    case receivingGivenUp = "checkpoint given up by its receiver"
    case transferRefused = "checkpoint refused beside another"
    case candidateWantedCheckpoint = "candidate asked for a checkpoint"
    case longPhase1 = "phase 1 took several pieces"
    case adoptedChosen = "candidate adopted what an acceptor knew to be chosen"
    case canvassRefusedForCandidate = "canvass refused for the sake of a candidate"
    case recoveredEntries = "new leader proposed again what it found"
    case recoveredConfiguration = "new leader found a change of configuration"
    case repeatedPromise = "promise repeated"
    case repeatedEarly = "promise repeated before it was durable"
    case nackDeposed = "leader deposed by a nack"
    case lostQuorum = "leader stepped down without a quorum"
    case leaseRefusedPrepare = "lease refused a prepare"
    case leaseReleased = "lease let the successor of its leader pass"
    case leaseRead = "read answered by a lease"
    case followerRead = "read answered at a follower"
    case missingEntries = "acceptor asked for what it lacked"
    case laterConfiguration = "acceptor confirmed what belongs to an earlier configuration"
    case copyAccepted = "copy confirmed again"
    case doubtful = "proposal in doubt"
    case busy = "proposal refused at a bound"
    case trimmedToTheEnd = "log trimmed to its end"
    case tookOver = "successor stood without asking"
    case dismissed = "removed process was told so"
}

/// What is to be seen of a replica before a step, so that one can say afterwards which points it came by.
struct PointSpotter {
    private let input: ReplicaInput
    private let wasLeader: Bool
    private let hadLeader: Bool
    private let ballot: Ballot
    private let chosen: Slot
    private let epoch: UInt64
    private let hasLeases: Bool

    init(_ replica: Replica, _ input: ReplicaInput) {
        self.input = input
        wasLeader = replica.isLeader
        hadLeader = replica.leader != nil
        ballot = replica.ballot
        chosen = replica.chosenUpTo
        epoch = replica.configuration.epoch
        hasLeases = replica.settings.leaseReadsClockDriftPPM != nil && replica.configuration.voters.count > 1
    }

    func points(after replica: Replica, _ outputs: [ReplicaOutput]) -> [RunPoint] {
        var points: [RunPoint] = []
        for output in outputs {
            if let point = point(of: output, replica), points.last != point { points.append(point) }
        }
        switch input {
        case .checkpointInstalled(let slot, _):
            if slot <= chosen { points.append(.checkpointBelowLog) }
            if slot > chosen, wasLeader { points.append(.checkpointAtLeader) }
        case .timerFired(.election):
            if wasLeader, !replica.isLeader { points.append(.lostQuorum) }
        case .received(.nack, _):
            if wasLeader, !replica.isLeader { points.append(.nackDeposed) }
        case .received(.prepare(let prepare), _) where hasLeases && prepare.ballot > ballot:
            if replica.ballot == ballot, outputs.isEmpty { points.append(.leaseRefusedPrepare) }
            if replica.ballot > ballot, prepare.successorOf != nil { points.append(.leaseReleased) }
        default: break
        }
        return points
    }

    private func point(of output: ReplicaOutput, _ replica: Replica) -> RunPoint? {
        switch output {
        case .send(let message, _, let after): return point(of: message, after)
        case .persist(let record): return point(of: record, replica)
        case .answerRead:
            if !replica.isLeader { return .followerRead }
            if case .readRequested = input, hasLeases { return .leaseRead }
        case .refuseProposal(_, .outcomeUnknown): return .doubtful
        case .refuseProposal(_, .busy): return .busy
        case .trim(let slot) where slot == replica.chosenUpTo.next: return .trimmedToTheEnd
        default: break
        }
        return nil
    }

    private func point(of record: ReplicaRecord, _ replica: Replica) -> RunPoint? {
        switch (record, input) {
        case (.floor, .start): return .startedBehindStore
        case (.promised, .start): return .startedAlone
        case (.accepted(let acceptance), .received(.promise, _)):
            guard !wasLeader, replica.isLeader, acceptance.first > replica.chosenUpTo else {
                return .adoptedChosen
            }
            if acceptance.entries.contains(where: \.isConfiguration) { return .recoveredConfiguration }
            return acceptance.entries.count > 1 ? .recoveredEntries : nil
        default: return nil
        }
    }

    private func point(of message: ReplicaMessage, _ after: RecordNumber) -> RunPoint? {
        switch (message, input) {
        case (.prepare, .checkpointInstalled): return .checkpointAtCandidate
        case (.prepare, .received(.promise, _)): return .longPhase1
        case (.prepare, .received(.takeOver, _)): return .tookOver
        case (.promise(let promise), _) where promise.ballot == ballot:
            return after == .none ? .repeatedPromise : .repeatedEarly
        case (.canvassed(let answer), _):
            return !answer.granted && !hadLeader && !hasLeases && answer.ballot > ballot
                ? .canvassRefusedForCandidate : nil
        case (.checkpointWanted, _): return .candidateWantedCheckpoint
        case (.missing, _): return .missingEntries
        case (.accepted(let accepted), .received(.accept(let accept), _)):
            if accept.epoch < epoch { return .laterConfiguration }
            return accept.first.advanced(by: accept.entries.count - 1) < accepted.upTo ? .copyAccepted : nil
        case (.dismissed, _): return .dismissed
        default: return nil
        }
    }
}
