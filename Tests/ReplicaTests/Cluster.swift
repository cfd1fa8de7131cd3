import Automata
import Paxos

@testable import Replica

/// A host for some replicas that does everything by hand: a test says which message is delivered, which
/// record becomes durable and which timer fires.
struct Cluster {
    struct Envelope: Hashable {
        let sender: ProcessID
        let receiver: ProcessID
        let message: ReplicaMessage
    }

    var hosts: [Host] = []
    /// Sent and neither delivered nor dropped, in the order of sending.
    var network: [Envelope] = []
    /// Links that lose everything, by sender and receiver.
    var cut: Set<[ProcessID]> = []
    var now = Instant.zero
    /// What the host did since this was cleared, for transcripts.
    var events: [(process: ProcessID, output: ReplicaOutput)] = []

    /// What each slot was found to hold; every process must agree with it.
    var history: [Entry] = []
    var violations: [String] = []
    /// Who said of whom that it knows a slot to be chosen which cannot be.
    var contradictions: [(leader: ProcessID, other: ProcessID, slot: Slot)] = []
    /// A run of this many records makes a log segment.
    var segmentRecords = 8

    init(
        _ processes: [ProcessID], bootstrap: Configuration,
        _ adjust: (inout Replica.Settings) -> Void = { _ in }
    ) {
        for process in processes {
            var settings = Replica.Settings(process: process)
            adjust(&settings)
            hosts.append(
                Host(
                    settings: settings,
                    bootstrap: bootstrap.isMember(process) ? bootstrap : Configuration.unknown))
        }
    }

    func index(_ process: ProcessID) -> Int { hosts.firstIndex { $0.process == process }! }

    subscript(_ process: UInt64) -> Host {
        get { hosts[index(ProcessID(process))] }
        set { hosts[index(ProcessID(process))] = newValue }
    }

    func replica(_ process: UInt64) -> Replica { self[process].replica! }

    // MARK: What happens to a process

    mutating func start(_ process: ProcessID) {
        let index = index(process)
        guard hosts[index].replica == nil else { return }
        hosts[index].recover()
        step(.start, at: process)
    }

    mutating func startAll() { for host in hosts { start(host.process) } }

    /// Loses what was not durable.
    mutating func crash(_ process: ProcessID) {
        let index = index(process)
        hosts[index].crash()
        let ended = checkpointsInTransit.filter { $0.sender == process || $0.receiver == process }
        checkpointsInTransit.removeAll { ended.contains($0) }
        for checkpoint in ended {
            let other = checkpoint.sender == process ? checkpoint.receiver : checkpoint.sender
            step(.checkpointFailed(process), at: other)
        }
    }

    /// Makes everything that was handed over durable.
    mutating func sync(_ process: ProcessID) {
        let index = index(process)
        guard hosts[index].replica != nil else { return }
        let upTo = hosts[index].sync(segmentRecords)
        let released = hosts[index].waiting
        hosts[index].waiting = []
        for envelope in released { transmit(envelope) }
        step(.durable(upTo: upTo), at: process)
    }

    mutating func fire(_ timer: ReplicaTimer, at process: ProcessID) {
        let index = index(process)
        guard hosts[index].timers.contains(where: { $0.timer == timer }) else { return }
        hosts[index].timers.removeAll { $0.timer == timer }
        step(.timerFired(timer), at: process)
    }

    mutating func deliver(_ envelope: Envelope) {
        guard hosts.contains(where: { $0.process == envelope.receiver }) else { return }
        var bytes: [UInt8] = []
        envelope.message.encode(into: &bytes)
        let decoded = bytes.withUnsafeBytes { try? ReplicaMessage(decoding: $0) }
        if decoded != envelope.message { violations.append("\(envelope.message) did not survive the wire") }
        step(.received(envelope.message, from: envelope.sender), at: envelope.receiver)
    }

    /// The state machine of a process becomes durable up to what it has applied.
    mutating func store(_ process: ProcessID) {
        let index = index(process)
        guard hosts[index].replica != nil else { return }
        hosts[index].stored = hosts[index].applied
        step(.stored(upTo: Slot(UInt64(hosts[index].stored.count))), at: process)
    }

    struct Checkpoint: Hashable {
        let sender: ProcessID
        let receiver: ProcessID
        let entries: [Entry]
    }
    var checkpointsInTransit: [Checkpoint] = []

    mutating func arrive(_ checkpoint: Checkpoint) {
        checkpointsInTransit.removeAll { $0 == checkpoint }
        let receiver = index(checkpoint.receiver)
        guard hosts[receiver].replica != nil, checkpoint.entries.count > hosts[receiver].applied.count else {
            step(.checkpointFailed(checkpoint.receiver), at: checkpoint.sender)
            step(.checkpointFailed(checkpoint.sender), at: checkpoint.receiver)
            return
        }
        hosts[receiver].applied = checkpoint.entries
        hosts[receiver].stored = checkpoint.entries
        let configuration = hosts[receiver].configuration(after: checkpoint.entries)
        step(
            .checkpointInstalled(upTo: Slot(UInt64(checkpoint.entries.count)), configuration),
            at: checkpoint.receiver)
        step(.checkpointSent(to: checkpoint.receiver), at: checkpoint.sender)
    }

    mutating func step(_ input: ReplicaInput, at process: ProcessID) {
        let index = index(process)
        guard hosts[index].replica != nil else { return }
        var outputs: [ReplicaOutput] = []
        hosts[index].replica!.step(input, at: now, into: &outputs)
        for broken in hosts[index].replica!.brokenInvariants { violations.append("\(process): \(broken)") }
        for output in outputs { carryOut(output, at: process) }
    }

    var random: (ClosedRange<UInt64>) -> UInt64 = { $0.lowerBound }

    private mutating func carryOut(_ output: ReplicaOutput, at process: ProcessID) {
        let index = index(process)
        events.append((process, output))
        switch output {
        case .persist(let record):
            hosts[index].pending.append(record)
        case .send(let message, let receiver, let after):
            let envelope = Envelope(sender: process, receiver: receiver, message: message)
            if after <= hosts[index].durableUpTo {
                transmit(envelope)
            } else {
                hosts[index].waiting.append(envelope)
            }
        case .setTimer(let timer, let range):
            let delay = random(range.lowerBound.nanoseconds...range.upperBound.nanoseconds)
            hosts[index].timers.removeAll { $0.timer == timer }
            hosts[index].timers.append((timer, now + TimeSpan(nanoseconds: delay)))
        case .cancelTimer(let timer):
            hosts[index].timers.removeAll { $0.timer == timer }
        case .apply(let first, let entries):
            apply(entries, from: first, at: index)
            step(.applied(upTo: Slot(UInt64(hosts[index].applied.count))), at: process)
        case .answerRead(let id, let slot):
            hosts[index].reads[id] = .some(slot)
        case .refuseRead(let id, _):
            hosts[index].reads[id] = .some(nil)
        case .refuseProposal(let id, let refusal):
            hosts[index].refused.append((id, refusal))
        case .sendCheckpoint(let receiver):
            checkpointsInTransit.append(
                Checkpoint(sender: process, receiver: receiver, entries: hosts[index].applied))
        case .trim(let slot):
            hosts[index].trim(before: slot)
        case .retire:
            hosts[index].isRetired = true
        case .reportContradiction(let other, let slot):
            contradictions.append((process, other, slot))
        case .finishTransfer, .leaderChanged, .configurationChanged: break
        }
    }

    private mutating func apply(_ entries: [Entry], from first: Slot, at index: Int) {
        for (offset, entry) in entries.enumerated() {
            let position = Int(first.rawValue) - 1 + offset
            if position < hosts[index].applied.count { continue }
            if position > hosts[index].applied.count {
                violations.append("\(hosts[index].process) applies slot \(position + 1) too early")
                return
            }
            hosts[index].applied.append(entry)
            if position < history.count {
                if history[position] != entry {
                    violations.append(
                        "slot \(position + 1) is \(history[position]), and \(entry) at \(hosts[index].process)"
                    )
                }
            } else {
                if position > history.count { violations.append("slot \(history.count + 1) was skipped") }
                history.append(entry)
            }
        }
    }

    private mutating func transmit(_ envelope: Envelope) {
        guard !cut.contains([envelope.sender, envelope.receiver]) else { return }
        network.append(envelope)
    }
}

/// One process of a cluster, with its disk.
struct Host {
    let settings: Replica.Settings
    let bootstrap: Configuration
    var replica: Replica?
    var timers: [(timer: ReplicaTimer, due: Instant)] = []

    struct Segment {
        var records: [ReplicaRecord]
        var last: Slot { records.compactMap(\.slots?.upperBound).max() ?? .zero }
    }
    var segments: [Segment] = [Segment(records: [])]
    /// Handed over and not durable.
    var pending: [ReplicaRecord] = []
    var durableUpTo = RecordNumber.none
    /// Messages that wait for a record.
    var waiting: [Cluster.Envelope] = []

    var applied: [Entry] = []
    var stored: [Entry] = []
    /// `nil` when refused.
    var reads: [ReadID: Slot?] = [:]
    var refused: [(ProposalID, Refusal)] = []
    var isRetired = false

    init(settings: Replica.Settings, bootstrap: Configuration) {
        self.settings = settings
        self.bootstrap = bootstrap
    }

    var process: ProcessID { settings.process }

    func configuration(after entries: [Entry]) -> Configuration {
        for case .configuration(_, let configuration) in entries.reversed() { return configuration }
        return bootstrap
    }

    mutating func recover() {
        var state = ReplicaDurableState(
            storedUpTo: Slot(UInt64(stored.count)), configuration(after: stored))
        for record in segments.flatMap(\.records) {
            do { try state.absorb(record) } catch { fatalError("\(process): \(error)") }
        }
        replica = Replica(settings: settings, recovered: state)
    }

    mutating func crash() {
        replica = nil
        timers = []
        pending = []
        waiting = []
        durableUpTo = .none
        applied = stored
        reads = [:]
    }

    mutating func sync(_ segmentRecords: Int) -> RecordNumber {
        for record in pending {
            var bytes: [UInt8] = []
            record.encode(into: &bytes)
            let decoded = bytes.withUnsafeBytes { try? ReplicaRecord(decoding: $0) }
            precondition(decoded == record, "\(record) did not survive the log")
        }
        segments[segments.count - 1].records += pending
        durableUpTo = RecordNumber(durableUpTo.rawValue + UInt64(pending.count))
        pending = []
        if segments[segments.count - 1].records.count >= segmentRecords {
            segments.append(Segment(records: replica!.segmentPreamble))
        }
        return durableUpTo
    }

    mutating func trim(before slot: Slot) {
        while segments.count > 1, segments[0].last < slot { segments.removeFirst() }
    }
}
