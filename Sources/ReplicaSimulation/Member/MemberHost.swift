import Automata
import Coordination
import Member
import Paxos
import Replica
import Simulation

/// A production `MemberCore` with the production log, on simulated hardware. It does what the server's shell does, in
/// one thread; the store is in memory, and a crash takes it back to its last durable point.
struct MemberHost: SimulatedProcess {
    typealias Message = MemberMessage
    typealias Timer = MemberTimer
    typealias Request = MemberRequest
    typealias Report = MemberNews
    typealias Input = SimulatedInput<MemberMessage, MemberTimer, MemberRequest>
    typealias Output = SimulatedOutput<MemberMessage, MemberTimer, MemberNews>

    struct Settings {
        var replica: Replica.Settings
        var member: MemberCore.Settings
        /// With which the cluster was formed.
        var first: Configuration
        var processes: [ProcessID]
        /// What the disk is named, should the process find an empty one.
        var drawnDisk = DiskID(0)
        var segmentBytes: Int
        /// How long chosen entries wait to be applied; at once when it is zero.
        var applyDelay: TimeSpan
        /// Of a thousand batches, how many go to another thread.
        var awayPerMille: UInt64
        var flaw: MemberFlaw?
        var watches = WatchPlan()
        var keeper = KeeperPlan()
    }

    private static let beat = TimeSpan.milliseconds(100)
    static let storeCell: UInt64 = 0
    /// And those of checkpoints that may have come in.
    static let storeCells: ClosedRange<UInt64> = 0...3

    let settings: Settings
    /// Nil when the process refused to start.
    var member: MemberCore?
    var watchers: SimulatedWatchers?
    var store = MemoryStore()
    var log: SimulatedLog<MemberMessage>?
    let files: SimulatedFiles
    var identity: MemberIdentity
    var isRetired = false
    private var refusal: String?
    private var found: [ReplicaRecord] = []
    var random: SeededRandom
    private var durability = DurabilityWatch()

    var outputs: [MemberOutput] = []
    var now = Instant.zero
    var isWriteAsked = false
    /// The applier as it was when its batch left.
    var away: Applier?

    // Points and checkpoints. Stores are counted as the simulator does.
    var stores: UInt64 = 0
    var keeper: SimulatedKeeper
    var sending: [(to: ProcessID, number: UInt64)] = []
    var lastNumber: UInt64

    // MARK: recovery

    init(settings: Settings, disk: SimulatedDisk, seed: UInt64) {
        self.settings = settings
        files = disk.cachedFiles
        identity = MemberIdentity(disk, settings.drawnDisk)
        random = SeededRandom(seed: seed)
        lastNumber = seed
        keeper = SimulatedKeeper(settings.keeper, seed: seed)
        do {
            let hasLog = SimulatedLog<MemberMessage>.isPresent(on: disk)
            try identity.judge(disk, hasLog: hasLog)
            if let found = try Self.storeAtRestart(disk) { store = found }
            keeper.use(point: try store.read { try StoreImage.bytes(of: $0) }, upTo: .zero)
            let applied = try store.read { try AppliedState(from: $0) }
            let configuration =
                try applied.configuration.isEmpty
                ? identity.isFormed ? settings.first : .unknown
                : ConfigurationCodec.decode(applied.configuration)
            var durable = ReplicaDurableState(storedUpTo: Slot(applied.slot), configuration)
            var records: [ReplicaRecord] = []
            if hasLog || !identity.isNew {
                log = try SimulatedLog(files, segmentBytes: settings.segmentBytes) { records.append($0) }
            }
            for record in records { try durable.absorb(record) }
            durability = DurabilityWatch(recovered: records)
            found = records
            var own = settings.replica
            own.disk = settings.flaw == .emptyMembersVote ? nil : identity.disk
            let replica = Replica(settings: own, recovered: durable)
            member = try store.read { reader in
                try MemberCore(
                    settings: settings.member, replica: replica, applier: Applier(from: reader), from: reader,
                    now: .zero)
            }
            watchers = SimulatedWatchers(settings.watches, revision: member!.applier.ledger.revision)
        } catch {
            // A machine that stops while its log is read says nothing about it.
            if !files.isStopped { refusal = "\(error)" }
        }
    }

    // MARK: steps

    mutating func step(_ input: Input, at time: Instant, into outputs: inout [Output]) {
        guard member != nil else {
            if case .start = input, let refusal { outputs.append(.report(.refusedToStart(refusal))) }
            return
        }
        guard !isRetired else { return }
        now = time
        // On a thread of their own.
        if case .requested(.watchers(let request)) = input { return onWatchers(request, &outputs) }
        guard !identity.isBeingNamed else { return whileNamed(input, &outputs) }
        switch input {
        case .start: onStart(&outputs)
        case .received(let message, let from): onMessage(message, from, &outputs)
        case .timerFired(let timer): onTimer(timer, &outputs)
        case .durable: break
        case .filesTurn: onFilesTurn(&outputs)
        case .stored(let store):
            onIdentityStored(store.rawValue, &outputs)
            onStored(store.rawValue, &outputs)
        case .requested(let request): onRequest(request, &outputs)
        }
        if !identity.isBeingNamed { endTurn(&outputs) }
    }

    mutating func endTurn(_ outputs: inout [Output]) {
        tell(.gathered, &outputs)
        writeWhenDue(&outputs)
        if log?.begin() == true { outputs.append(.useFiles) }
    }

    private mutating func onStart(_ outputs: inout [Output]) {
        if log?.passedOverTornTail == true { pass(.tornTail, &outputs) }
        if member!.applier.applied > .zero { pass(.restartedFromPoint, &outputs) }
        outputs.append(.report(.found(found)))
        found = []
        outputs.append(.report(.recovered(upTo: member!.applier.applied, digest)))
        if identity.isNew { nameDisk(&outputs) } else { begin(&outputs) }
    }

    mutating func begin(_ outputs: inout [Output]) {
        outputs.append(.setTimer(.beat, after: Self.beat...Self.beat))
        tell(.start, &outputs)
        tell(.reached(settings.processes.filter { $0 != settings.replica.process }), &outputs)
    }

    private mutating func onTimer(_ timer: MemberTimer, _ outputs: inout [Output]) {
        switch timer {
        case .replica(let timer): tell(.timerFired(timer), &outputs)
        case .beat:
            outputs.append(.setTimer(.beat, after: Self.beat...Self.beat))
            let bytes = store.size.inUse
            let isLow = store.capacity.map { bytes > $0 * 9 / 10 } ?? false
            tell(
                .beat(.init(bytesInUse: bytes, bytesWrittenSincePoint: 0, isSpaceLow: isLow)), &outputs)
        case .apply:
            isWriteAsked = false
            write(&outputs)
        case .batchBack: onBatchBack(&outputs)
        case .keeper: onKeeper(&outputs)
        case .checkpoint(let process):
            sending.removeAll { $0.to == process }
            tell(.checkpointSent(to: process, success: false), &outputs)
        }
    }

    private mutating func onRequest(_ request: MemberRequest, _ outputs: inout [Output]) {
        switch request {
        case .client(let request, let client):
            if settings.flaw == .readsWithoutRound, case .linearizableRead = request {
                return answer(client, .success(.ready), &outputs)
            }
            if member!.glance.leader == nil { pass(.heldForLeader, &outputs) }
            tell(.requested(request, by: client), &outputs)
        case .watchers: break
        case .capacity(let bytes): store.capacity = bytes.map { store.size.inUse + $0 }
        case .stop: tell(.stop, &outputs)
        }
    }

    private mutating func onFilesTurn(_ outputs: inout [Output]) {
        guard let turn = log?.carryOut() else { return }
        guard !turn.hasFailed else {
            pass(.logFailed, &outputs)
            return outputs.append(.end)
        }
        for (message, process) in turn.sends { outputs.append(.send(message, to: process, after: .none)) }
        if let record = turn.durable {
            durability.onDurable(upTo: record)
            outputs.append(.report(.madeDurable(upTo: record)))
            tell(.durable(upTo: record), &outputs)
            recordFormation(&outputs)
        }
        if turn.isSegmentFull { log?.cut(member!.replica.segmentPreamble) }
    }

    private mutating func onMessage(_ message: MemberMessage, _ from: ProcessID, _ outputs: inout [Output]) {
        switch message {
        case .replica(let bytes, _):
            guard let message = try? bytes.withUnsafeBytes({ try ReplicaMessage(decoding: $0) }) else {
                preconditionFailure("\(settings.replica.process) cannot read \(bytes) from \(from)")
            }
            tell(.received(.replica(message), from: from), &outputs)
        case .other(let message):
            if case .question = message { pass(.leaseAsked, &outputs) }
            tell(.received(message, from: from), &outputs)
        case .checkpoint(let number, let image): onCheckpoint(number, image, from: from, &outputs)
        case .checkpointEnded(let number, let isInstalled):
            guard sending.contains(where: { $0.to == from && $0.number == number }) else { return }
            sending.removeAll { $0.to == from }
            outputs.append(.cancelTimer(.checkpoint(from)))
            tell(.checkpointSent(to: from, success: isInstalled), &outputs)
        }
    }

    // MARK: what the member wants

    mutating func tell(_ input: MemberInput, _ outputs: inout [Output]) {
        stepMember(input)
        carryOutAll(&outputs)
    }

    /// What the member wants waits for `carryOutAll`.
    mutating func stepMember(_ input: MemberInput) {
        var time = now
        // As if the clock of whoever counts leases ran at twice its rate.
        if settings.flaw == .hurries { time = .zero + now.since(.zero) * 2 }
        member!.step(input, at: time, into: &self.outputs)
    }

    mutating func carryOutAll(_ outputs: inout [Output]) {
        let wanted = self.outputs
        self.outputs.removeAll(keepingCapacity: true)
        for want in wanted { carryOut(want, &outputs) }
    }

    private mutating func carryOut(_ want: MemberOutput, _ outputs: inout [Output]) {
        switch want {
        case .persist(let record):
            log?.append(record)
            outputs.append(.report(.wrote(record)))
            durability.onWrote(record)
        case .send(let message, let to, let after):
            let sent = MemberMessage(message)
            let after = settings.flaw == .answersBeforeDurable ? .none : after
            if case .replica(let message) = message,
                let complaint = durability.complaint(about: message, after: after)
            {
                outputs.append(.report(.letGo("a message to \(to) before \(complaint) was durable")))
            }
            if log?.isDurable(after) == true {
                outputs.append(.send(sent, to: to, after: .none))
            } else {
                log?.send(sent, to: to)
            }
        case .setTimer(let timer, let range): outputs.append(.setTimer(.replica(timer), after: range))
        case .cancelTimer(let timer): outputs.append(.cancelTimer(.replica(timer)))
        case .answer(let client, let result): answer(client, result, &outputs)
        case .makeDurable, .copyStore, .catchUpCopy, .switchStore, .placeCopy, .discardCopy, .suspendStore:
            renew(want, &outputs)
        case .installCheckpoint(let id): installCheckpoint(id, &outputs)
        case .refuseCheckpoint(let id, _): refuseCheckpoint(id, &outputs)
        case .sendCheckpoint(let process): sendCheckpoint(to: process, &outputs)
        case .trim(let slot): log?.trim(before: slot)
        case .report(.storeHasRoom): pass(.storeHasRoom, &outputs)
        case .report(.raisesNoSpace): pass(.noSpaceRaised, &outputs)
        case .report(.leaseRenewed): pass(.leaseRenewed, &outputs)
        case .report, .tellLeaderLost, .membersChanged: break
        case .handedOver: pass(.handedOver, &outputs)
        case .stopped:
            // It ends at its next turn with the files, of which there may be none for want of something to write.
            outputs += [.end, .useFiles]
        case .retired:
            // Whoever waits is told, as by the server, which ends then.
            member!.finish(into: &self.outputs)
            carryOutAll(&outputs)
            isRetired = true
            outputs.append(.report(.retired))
        case .fail(let failure): preconditionFailure("a disk without room ends the member: \(failure)")
        }
    }

    mutating func answer(
        _ client: ClientToken, _ result: Result<ServiceAnswer, ServiceError>, _ outputs: inout [Output]
    ) {
        var seen: SeenState?
        if case .success(.ready) = result {
            do { seen = try readable.read { try SeenState(of: MemberClients.key(client), in: $0) } } catch {
                preconditionFailure("\(error)")
            }
        }
        outputs.append(.report(.answered(client, result, at: member!.applier.applied, seen: seen)))
    }

    /// Nothing of what was written can be seen where nothing is to be read.
    private var readable: MemoryStore { keeper.isSuspended ? MemoryStore() : store }

    func pass(_ point: MemberPoint, _ outputs: inout [Output]) {
        outputs.append(.report(.passed(point)))
    }

    static func parcel(_ message: MemberMessage) -> Parcel { message.parcel }
}
