import Automata
import Paxos
import PeerLinks
import Replica
import Simulation

/// A production `Replica` with a state machine, a log and a store, on simulated hardware. It does what the
/// server's shell does, in one thread.
struct ReplicaHost: SimulatedProcess {
    typealias Message = HostMessage
    typealias Timer = HostTimer
    typealias Request = HostRequest
    typealias Report = HostReport
    typealias Input = SimulatedInput<HostMessage, HostTimer, HostRequest>
    typealias Output = SimulatedOutput<HostMessage, HostTimer, HostReport>

    struct Settings {
        var replica: Replica.Settings
        /// The state machine is stored whenever it has applied this many slots more.
        var slotsPerStore: UInt64
        var segmentBytes: Int
        /// How long chosen entries wait for the state machine; at once when it is zero.
        var applyDelay: TimeSpan
        var transfers = TransferSettings(times: LinkTimes(electionTimeout: .seconds(1)))
        var flaw: HostFlaw?
        /// The first members, and the quorum system of the first configuration.
        var members: [ProcessID] = []
        var quorums = QuorumSystem.majority
        /// What the disk is named, and what a cluster that this process forms, should it find an empty disk.
        var drawnDisk = DiskID(0)
        var drawnNonce: UInt64 = 0
    }

    let settings: Settings
    /// `nil` when the process refused to start.
    var replica: Replica?
    var machine: LogMachine
    /// `nil` when the process refused to start, and as long as its disk has no durable name.
    private var log: SimulatedLog<HostMessage>?
    private let files: SimulatedFiles
    var identity: HostIdentity
    var founding: HostFounding
    private var refusal: String?
    private var recovered: [ReplicaRecord] = []
    private var durability = DurabilityWatch()

    var inputs: [ReplicaInput] = []
    private var replicaOutputs: [ReplicaOutput] = []
    /// Chosen and not applied; `backlogFirst` is the slot of the first of them.
    private var backlog: [Entry] = []
    private var backlogFirst: Slot = .zero
    private var waitingReads: [(id: ReadID, at: Slot)] = []

    /// Stores so far, as the simulator counts them, and the slots of those that are not durable yet.
    var stores: UInt64 = 0
    private var storing: [(store: UInt64, slot: Slot)] = []
    private var storedSlot: Slot
    /// A checkpoint that was received and is being stored.
    private(set) var installing: (store: UInt64, machine: LogMachine, from: ProcessID, number: UInt64)?
    var transfers: Transfers

    // MARK: Recovery

    init(settings: Settings, disk: SimulatedDisk) {
        self.settings = settings
        transfers = Transfers(firstNumber: settings.drawnNonce)
        files = disk.cachedFiles
        identity = HostIdentity(disk, settings)
        let hasLog = SimulatedLog<HostMessage>.isPresent(on: disk)
        founding = HostFounding(identity, settings, hasLog: hasLog)
        machine = LogMachine(configuration: identity.formation?.configuration ?? .unknown)
        do {
            try identity.judge(disk, hasLog: hasLog, settings.flaw)
            if let image = disk.cell(0) {
                let stored = try LogMachine(image: image)
                if stored.configuration.epoch > 0 { machine = stored }
            }
            var durable = ReplicaDurableState(storedUpTo: machine.applied, machine.configuration)
            var records: [ReplicaRecord] = []
            if hasLog || !identity.isNew {
                log = try SimulatedLog(files, segmentBytes: settings.segmentBytes) { records.append($0) }
            }
            Self.spoil(&records, by: settings.flaw)
            for record in records { try durable.absorb(record) }
            recovered = records
            durability = DurabilityWatch(recovered: records)
            var own = settings.replica
            own.disk = settings.flaw == .emptyMembersVote ? nil : identity.disk
            replica = Replica(settings: own, recovered: durable)
        } catch {
            // A machine that stops while its log is read says nothing about it.
            if !files.isStopped { refusal = "\(error)" }
        }
        storedSlot = machine.applied
    }

    /// The first log of a disk, once that has a name.
    mutating func makeLog() throws {
        if log == nil { log = try SimulatedLog(files, segmentBytes: settings.segmentBytes) { _ in } }
    }

    private static func spoil(_ records: inout [ReplicaRecord], by flaw: HostFlaw?) {
        switch flaw {
        case .forgetsPromises:
            records.removeAll { if case .promised = $0 { true } else { false } }
        case .losesTail:
            records.removeLast(min(records.count, 5))
        default: break
        }
    }

    // MARK: Steps

    mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        guard replica != nil else {
            if case .start = input, let refusal { outputs.append(.report(.refusedToStart(refusal))) }
            return
        }
        switch input {
        case .start:
            if log?.passedOverTornTail == true { pass(.tornTail, into: &outputs) }
            outputs.append(.report(.found(recovered)))
            recovered = []
            outputs.append(.report(.recovered(upTo: machine.applied, machine.hash)))
            onStart(into: &outputs)
        case .received(let message, let from):
            onReceived(message, from, into: &outputs)
        case .timerFired(let timer):
            onTimer(timer, into: &outputs)
        case .durable: break
        case .filesTurn: onFilesTurn(into: &outputs)
        case .stored(let store):
            onStored(store, into: &outputs)
        case .requested(let request):
            onRequest(request, into: &outputs)
        }
        run(at: now, into: &outputs)
    }

    /// Gives the replica what has come up, until nothing more follows from it.
    private mutating func run(at now: Instant, into outputs: inout [Output]) {
        var next = 0
        while next < inputs.count {
            let input = inputs[next]
            next += 1
            replicaOutputs.removeAll(keepingCapacity: true)
            let before = replica.map { PointSpotter($0, input) }
            replica?.step(input, at: now, into: &replicaOutputs)
            if let before, let replica {
                for point in before.points(after: replica, replicaOutputs) { pass(point, into: &outputs) }
            }
            for index in replicaOutputs.indices { carryOut(replicaOutputs[index], into: &outputs) }
        }
        inputs.removeAll(keepingCapacity: true)
        if log?.begin() == true { outputs.append(.useFiles) }
    }

    private mutating func onFilesTurn(into outputs: inout [Output]) {
        guard let turn = log?.carryOut() else { return }
        guard !turn.hasFailed else {
            pass(.logFailed, into: &outputs)
            return outputs.append(.end)
        }
        for _ in 0..<turn.cuts { pass(.segmentBegun, into: &outputs) }
        for _ in 0..<turn.filesKept { pass(.segmentKept, into: &outputs) }
        for (message, process) in turn.sends { outputs.append(.send(message, to: process, after: .none)) }
        if let record = turn.durable {
            durability.onDurable(upTo: record)
            outputs.append(.report(.madeDurable(upTo: record)))
            inputs.append(.durable(upTo: record))
            onLogDurable(into: &outputs)
        }
        if turn.isSegmentFull, let preamble = replica?.segmentPreamble { log?.cut(preamble) }
    }

    func pass(_ point: RunPoint, into outputs: inout [Output]) {
        outputs.append(.report(.passed(point)))
    }

    private mutating func onReceived(
        _ message: HostMessage, _ from: ProcessID, into outputs: inout [Output]
    ) {
        guard message.isFor(identity.formation?.nonce) else { return }
        switch message {
        case .formation(let bytes): onFormationMessage(bytes, from, into: &outputs)
        case .replica(let bytes, _, _):
            guard var message = try? bytes.withUnsafeBytes({ try ReplicaMessage(decoding: $0) }) else {
                preconditionFailure("\(settings.replica.process) cannot read \(bytes) from \(from)")
            }
            if settings.flaw == .hidesAccepted { message.hideAccepted() }
            inputs.append(.received(message, from: from))
            if settings.flaw == .countsOneForAll, message.isAnswerOfAcceptor {
                for voter in replica?.configuration.voters ?? []
                where voter != from && voter != settings.replica.process {
                    inputs.append(.received(message, from: voter))
                }
            }
        case .transfer(let message, _): onTransferMessage(message, from, into: &outputs)
        }
    }

    private mutating func onTimer(_ timer: HostTimer, into outputs: inout [Output]) {
        switch timer {
        case .replica(let timer): inputs.append(.timerFired(timer))
        case .apply: applyBacklog(into: &outputs)
        case .founding: found(.timerFired, into: &outputs)
        case .sending(let process): onSendingTick(process, into: &outputs)
        case .sendAgain(let process): inputs.append(.checkpointFailed(process))
        case .receiving: onReceivingTick(into: &outputs)
        }
    }

    private mutating func onRequest(_ request: HostRequest, into outputs: inout [Output]) {
        switch request {
        case .propose(let proposals): inputs.append(.proposed(proposals))
        case .read(let id):
            if settings.flaw == .readsWithoutQuorum, replica?.isLeader == true {
                outputs.append(.report(.answeredRead(id, from: machine.applied)))
            } else {
                inputs.append(.readRequested(id))
            }
        case .transfer(let process): inputs.append(.transferRequested(to: process))
        case .reconfigure(let id, let change): inputs.append(.reconfigurationRequested(id, change))
        }
    }

    // MARK: What the replica wants

    private mutating func carryOut(_ output: ReplicaOutput, into outputs: inout [Output]) {
        switch output {
        case .persist(let record):
            log?.append(record)
            durability.onWrote(record)
            outputs.append(.report(.wrote(record)))
        case .send(let message, let to, let after):
            let after = settings.flaw == .answersBeforeDurable ? .none : after
            if let complaint = durability.complaint(about: message, after: after) {
                outputs.append(.report(.letGo("a message to \(to) before \(complaint) was durable")))
            }
            let sent = HostMessage(message, formation: identity.formation?.nonce ?? 0)
            if log?.isDurable(after) == true {
                outputs.append(.send(sent, to: to, after: .none))
            } else {
                log?.send(sent, to: to)
            }
        case .setTimer(let timer, let range): outputs.append(.setTimer(.replica(timer), after: range))
        case .cancelTimer(let timer): outputs.append(.cancelTimer(.replica(timer)))
        case .apply(let first, let entries): onChosen(first, entries, into: &outputs)
        case .answerRead(let id, let slot):
            waitingReads.append((id, slot))
            answerReads(into: &outputs)
        case .refuseRead(let id, let refusal): outputs.append(.report(.refusedRead(id, refusal)))
        case .refuseProposal(let id, let refusal):
            if settings.flaw == .retriesProposals, refusal == .outcomeUnknown {
                inputs.append(.proposed([Proposal(id: id, payload: Payload("again"))]))
            } else {
                outputs.append(.report(.refusedProposal(id, refusal)))
            }
        case .finishTransfer(let to, let refusal):
            outputs.append(.report(.finishedTransfer(to: to, refusal)))
        case .leaderChanged(let leader, let ballot):
            outputs.append(.report(.leaderChanged(leader, ballot)))
        case .sendCheckpoint(let to): sendCheckpoint(to, into: &outputs)
        case .trim(let slot):
            log?.trim(before: slot)
            outputs.append(.report(.trimmed(before: slot)))
        case .configurationChanged(let configuration):
            outputs.append(.report(.configurationChanged(configuration)))
        case .retire: outputs.append(.report(.retired))
        case .reportContradiction(let process, let slot):
            outputs.append(.report(.contradicted(by: process, at: slot)))
        }
    }

    private mutating func onChosen(_ first: Slot, _ entries: [Entry], into outputs: inout [Output]) {
        if backlog.isEmpty { backlogFirst = first }
        precondition(
            first == backlogFirst.advanced(by: backlog.count),
            "\(settings.replica.process) is to apply \(first) after \(backlogFirst)+\(backlog.count)")
        backlog += entries
        if settings.flaw == .appliesOutOfOrder, backlog.count > 1 { backlog.swapAt(0, backlog.count - 1) }
        if settings.applyDelay == .zero {
            applyBacklog(into: &outputs)
        } else {
            outputs.append(.setTimer(.apply, after: .zero...settings.applyDelay))
        }
    }

    private mutating func applyBacklog(into outputs: inout [Output]) {
        dropApplied(into: &outputs)
        let entries = backlog
        backlog.removeAll()
        guard !entries.isEmpty else { return }
        let first = machine.applied.next
        for entry in entries { machine.apply(entry) }
        outputs.append(.report(.applied(first: first, entries, machine.hash)))
        inputs.append(.applied(upTo: machine.applied))
        answerReads(into: &outputs)
        storeWhenDue(into: &outputs)
    }

    /// A checkpoint may hold what was still to be applied. What came of it here is not known then.
    private mutating func dropApplied(into outputs: inout [Output]) {
        guard backlogFirst <= machine.applied else { return }
        let count = min(backlog.count, Int(machine.applied.rawValue - backlogFirst.rawValue) + 1)
        for entry in backlog.prefix(count) {
            guard let id = entry.id, id.process == settings.replica.process else { continue }
            outputs.append(.report(.refusedProposal(id, .outcomeUnknown)))
        }
        backlog.removeFirst(count)
        backlogFirst = machine.applied.next
    }

    private mutating func answerReads(into outputs: inout [Output]) {
        for (id, slot) in waitingReads where slot <= machine.applied {
            outputs.append(.report(.answeredRead(id, from: machine.applied)))
        }
        waitingReads.removeAll { $0.at <= machine.applied }
    }

    // MARK: The store and checkpoints

    private mutating func store(_ machine: LogMachine, into outputs: inout [Output]) {
        stores += 1
        storing.append((stores, machine.applied))
        outputs.append(.store(machine.image, cell: 0))
    }

    private mutating func storeWhenDue(into outputs: inout [Output]) {
        let last = storing.last?.slot ?? storedSlot
        // While a checkpoint is being stored nothing older may replace it.
        guard installing == nil, machine.applied.rawValue >= last.rawValue + settings.slotsPerStore else {
            return
        }
        store(machine, into: &outputs)
    }

    private mutating func onStored(_ store: RecordNumber, into outputs: inout [Output]) {
        onIdentityStored(store, into: &outputs)
        while let first = storing.first, first.store <= store.rawValue {
            storedSlot = first.slot
            storing.removeFirst()
        }
        if let (number, image, from, checkpoint) = installing, number <= store.rawValue {
            installing = nil
            say(.installed, of: checkpoint, to: from, into: &outputs)
            if image.applied > machine.applied {
                machine = image
                dropApplied(into: &outputs)
                outputs.append(.report(.installed(upTo: machine.applied, machine.hash)))
                inputs.append(.checkpointInstalled(upTo: machine.applied, machine.configuration))
                answerReads(into: &outputs)
            }
        }
        if installing == nil { inputs.append(.stored(upTo: storedSlot)) }
    }

    /// A checkpoint has arrived, and is stored before it is used.
    mutating func install(
        _ image: [UInt8], _ number: UInt64, from: ProcessID, into outputs: inout [Output]
    ) {
        guard let received = try? LogMachine(image: image) else {
            preconditionFailure("\(settings.replica.process) cannot read a checkpoint from \(from)")
        }
        guard received.applied > machine.applied else {
            // The log was faster, or this is a copy.
            say(.installed, of: number, to: from, into: &outputs)
            return
        }
        store(received, into: &outputs)
        installing = (stores, received, from, number)
    }

    static func parcel(_ message: HostMessage) -> Parcel { message.parcel }
}

extension Entry {
    /// Of what was proposed by a client; `nil` for what a leader filled in.
    var id: ProposalID? {
        switch self {
        case .noop: nil
        case .payload(let id, _): id
        case .configuration(let id, _): id
        }
    }
}

extension ReplicaMessage {
    /// Whether this is an acceptor's yes.
    fileprivate var isAnswerOfAcceptor: Bool {
        switch self {
        case .canvassed, .promise, .accepted, .heartbeatAnswer: true
        default: false
        }
    }

    fileprivate mutating func hideAccepted() {
        guard case .promise(var promise) = self else { return }
        promise.chunk = AcceptedChunk(first: promise.chunk.first, entries: [], runs: [])
        promise.last = Slot(promise.chunk.first.rawValue - 1)
        self = .promise(promise)
    }
}
