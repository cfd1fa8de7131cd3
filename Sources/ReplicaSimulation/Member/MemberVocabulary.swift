import Automata
import Coordination
import Member
import Paxos
import Replica
import Simulation

/// What simulated members send each other. Messages of the protocol travel in their wire form.
enum MemberMessage: TraceValue {
    case replica([UInt8], isBulk: Bool)
    case other(PeerMessage)
    /// A whole store, and the configuration in force at it.
    case checkpoint(number: UInt64, image: [UInt8])
    case checkpointEnded(number: UInt64, isInstalled: Bool)

    init(_ message: PeerMessage) {
        guard case .replica(let message) = message else {
            self = .other(message)
            return
        }
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        self = .replica(bytes, isBulk: message.isBulk)
    }

    func trace(into hash: inout StableHash) {
        switch self {
        case .replica(let bytes, _): hash.combine(bytes)
        case .checkpoint(let number, let image):
            hash.combine(number)
            hash.combine(image)
        case .other, .checkpointEnded: hash.combine(Array(traceText.utf8))
        }
    }

    var traceText: String {
        switch self {
        case .replica(let bytes, _):
            (try? bytes.withUnsafeBytes { try ReplicaMessage(decoding: $0) }).map { "\($0)" } ?? "unreadable"
        case .other(let message): "\(message)"
        case .checkpoint(let number, let image): "checkpoint \(number) of \(image.count) bytes"
        case .checkpointEnded(let number, let isInstalled):
            "checkpoint \(number) \(isInstalled ? "installed" : "not installed")"
        }
    }

    var parcel: Parcel {
        switch self {
        case .replica(let bytes, let isBulk): Parcel(bytes: bytes.count, lane: isBulk ? .bulk : .urgent)
        case .other, .checkpointEnded: Parcel(bytes: 32, lane: .urgent)
        case .checkpoint(_, let image): Parcel(bytes: image.count, lane: .transfer)
        }
    }
}

enum MemberTimer: Hashable, TraceValue {
    case replica(ReplicaTimer)
    case beat
    /// What is chosen is applied.
    case apply
    /// A batch that went to another thread is applied.
    case batchBack
    /// The store thread does what it was given.
    case keeper
    /// The checkpoint that is being sent to this process has taken too long.
    case checkpoint(ProcessID)

    func trace(into hash: inout StableHash) { hash.combine(Array(traceText.utf8)) }
    var traceText: String { "\(self)" }
}

/// What the harness asks of a member, as its clients would, and an operator.
enum MemberRequest: TraceValue {
    case client(ClientRequest, ClientToken)
    case watchers(WatchersRequest)
    /// The store takes no more than so many bytes; nil: any number.
    case capacity(Int?)
    /// The member hands over and ends, to be started again.
    case stop

    var traceText: String {
        switch self {
        case .client(.command(let payload), let token):
            "\(token.token): command \(payload.bytes.map { String($0, radix: 16) }.joined(separator: " "))"
        case .client(let request, let token): "\(token.token): \(request)"
        case .watchers(let request): request.traceText
        case .capacity(let bytes): "capacity \(bytes.map { "\($0)" } ?? "unbounded")"
        case .stop: "stop"
        }
    }
}

/// What a member tells the harness.
enum MemberNews: TraceValue {
    case recovered(upTo: Slot, StoreDigest)
    /// These records were found in the log.
    case found([ReplicaRecord])
    case wrote(ReplicaRecord)
    /// All records of this life up to this one are durable.
    case madeDurable(upTo: RecordNumber)
    case refusedToStart(String)
    case passed(MemberPoint)
    case applied(first: Slot, [Entry], [AppliedBatch.Result], StoreDigest)
    case installed(upTo: Slot, StoreDigest)
    /// Of a read also how far this member had applied, and what it saw.
    case answered(ClientToken, Result<ServiceAnswer, ServiceError>, at: Slot, seen: SeenState?)
    /// These watches are told of everything past the revision.
    case watching(port: UInt64, [WatcherID], head: Int64)
    case delivered(port: UInt64, [ServiceDelivery])
    /// A message was let go although it rests on something that is not durable.
    case letGo(String)
    case retired

    var traceText: String {
        switch self {
        case .applied(let first, let entries, _, _): "applied \(first) and \(entries.count - 1) more"
        case .answered(let client, let result, let slot, let seen):
            "answered \(client.token) at \(slot): \(result)\(seen.map { ", saw revision \($0.revision)" } ?? "")"
        case .watching(let port, let ids, let head):
            "\(port): watches \(ids.map { "\($0.rawValue)" }.joined(separator: ", ")) from \(head + 1) on"
        case .delivered(let port, let deliveries):
            "\(port): \(deliveries.map(Self.text).joined(separator: ", "))"
        default: "\(self)"
        }
    }

    private static func text(_ delivery: ServiceDelivery) -> String {
        guard case .events(let id, let batch) = delivery else { return "\(delivery)" }
        let events = batch.events.map { event in
            let key = String(decoding: event.keyValue.key, as: UTF8.self)
            return "\(event.kind == .put ? "" : "-")\(key)@\(event.keyValue.modRevision)"
        }
        return "\(id.rawValue) up to \(batch.revision): \(events.joined(separator: " "))"
    }
}

/// A place that a run can come by and that is worth coming by.
public enum MemberPoint: String, Hashable, Sendable, CaseIterable {
    case tornTail = "torn tail repaired"
    case logFailed = "process ended because its log could not be written"
    case restartedFromPoint = "started from a durable point of the store"
    case storeFull = "batch put off for want of room"
    case storeHasRoom = "store had room again"
    case noSpaceRaised = "alarm NOSPACE raised"
    case batchAway = "batch applied by another thread"
    case checkpointSent = "checkpoint sent"
    case checkpointInstalled = "checkpoint installed"
    case checkpointRefused = "checkpoint refused"
    case checkpointMetCopy = "checkpoint arrived while a copy or a batch was under way"
    case storeMadeAnew = "store made anew"
    case copyCaughtUp = "copy of the store caught up from the log"
    case copiedWhileAway = "copy of the store met a batch that is away"
    case switchPutOff = "switch to a copy put off for too much work"
    case copyFailed = "copy of the store failed"
    case copyDiscarded = "copy of the store overthrown"
    case copyNotPlaced = "copy in use found no room to be put in place"
    case syncFailed = "sync of the store failed"
    case pointWithoutRoom = "durable point put off for want of room"
    case leaseExpired = "lease ended by its time"
    case leaseRenewed = "lease renewed"
    case leaseAsked = "lease asked of the leader by another member"
    case heldForLeader = "request waited for a leader"
    case handedOver = "lead handed over before a stop"
    case compacted = "history compacted and removed"
    case voterAdded = "voter added"
    case learnerAdded = "learner added"
    case learnerPromoted = "learner promoted"
    case memberRemoved = "member removed"
    case memberReplaced = "member replaced by another"
    case leaderRemoved = "leader removed"
    case retired = "removed member left"
    case newMemberCaughtUp = "new member caught up from an empty disk"
    case readAtLearner = "linearizable read answered at a learner"
    case votelessReplaced = "member without a vote replaced"
    case diskLost = "member came back with an empty disk, without a vote"
    case lostStoreMadeAnew = "lost store made anew from the log"
    case storeMissed = "start refused for want of a store that the log cannot replace"
    case logMissed = "start refused for want of a log"
    case damageRefused = "start refused for damage in the log"
    case damagePassed = "damage in the log beside what is read"
    case watchCrossed = "watch crossed from history to live"
    case watchResumed = "watch resumed at another member"
    case watchCompacted = "watch told of compaction"
    case watchSlowed = "slow watcher fell back to history"
    case watchReadOn = "slow watcher read on once it had consumed"
    case watchMissed = "watchers read what was too much to be told"
    case watchProgress = "progress of watches told"
    case watchToldUpTo = "reader heard that its watches were told up to a revision"
}
