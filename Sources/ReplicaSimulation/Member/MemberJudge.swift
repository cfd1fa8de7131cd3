import Automata
import Coordination
import Linearizability
import Member
import Paxos
import Replica

/// Holds all that members apply and answer against one log, and against one store that applies it by itself.
struct MemberJudge {
    /// By slot, from slot 1.
    private var entries: [Entry] = []
    /// The store, what it shows and the outcome of the last command, after so many slots.
    private var stores = [MemoryStore()]
    private var digests: [StoreDigest]
    private var outcomes = [""]
    private var applier: Applier
    private var applied: [ProcessID: Slot] = [:]

    /// The highest slot of which some client was told.
    private(set) var known = Slot.zero
    private var granted: [LeaseID: Slot] = [:]
    private var ended: [LeaseID: Slot] = [:]
    /// Before that time the lease may not end by itself.
    private var notBefore: [LeaseID: (time: Instant, jumped: TimeSpan)] = [:]
    private let clockSkewPPM: UInt64
    /// By how much clocks have leapt ahead, all together.
    var jumped = TimeSpan.zero
    private(set) var membership: MembershipJudge

    /// Every change, and every revision that was compacted, in order.
    private(set) var history: [KeyValueEvent] = []
    private(set) var compactions: [Int64] = []

    private var histories: [[UInt8]: [Operation<KeyValueCell>]] = [:]

    init(_ first: Configuration, clockSkewPPM: UInt64) throws {
        self.clockSkewPPM = clockSkewPPM
        membership = MembershipJudge(first)
        digests = [try stores[0].read { try StoreDigest(of: $0) }]
        applier = try stores[0].read { try Applier(from: $0) }
    }

    var last: Slot { Slot(UInt64(entries.count)) }
    func applied(at process: ProcessID) -> Slot { applied[process, default: .zero] }
    var revision: Int64 { applier.ledger.revision }
    var compactRevision: Int64 { applier.ledger.compactRevision }
    var leaseCount: Int { (try? stores.last!.read { try LedgerReader($0).leases().count }) ?? 0 }
    var alarms: [Alarm] { applier.ledger.alarms }

    // MARK: what members do

    mutating func onRecovered(
        _ process: ProcessID, upTo slot: Slot, _ digest: StoreDigest, by what: String, at now: Instant
    ) throws(Violation) {
        applied[process] = slot
        membership.note(process, at: slot, now)
        guard slot <= last else {
            throw Violation(.state, "\(process) holds \(slot), and nothing was applied past \(last)")
        }
        guard digest == digests[Int(slot.rawValue)] else {
            throw Violation(.state, "\(process) at \(slot), \(what), shows another state than the log gives")
        }
    }

    mutating func onApplied(
        _ process: ProcessID, _ first: Slot, _ more: [Entry], _ results: [AppliedBatch.Result],
        _ digest: StoreDigest,
        at now: Instant
    ) throws(Violation) {
        guard first == applied(at: process).next else {
            throw Violation(.agreement, "\(process) applied \(first) after \(applied(at: process))")
        }
        for (offset, entry) in more.enumerated() {
            let slot = first.advanced(by: offset)
            if slot == last.next {
                try append(entry, at: slot, now)
            } else if entries[Int(slot.rawValue) - 1] != entry {
                throw Violation(.agreement, "\(process) applied another entry in \(slot) than others did")
            }
        }
        try onRecovered(
            process, upTo: first.advanced(by: more.count - 1), digest, by: "after a batch", at: now)
        for result in results where "\(result.outcome)" != outcomes[Int(result.slot.rawValue)] {
            throw Violation(
                .state,
                "\(process) in \(result.slot) came to \(result.outcome), the log gives "
                    + outcomes[Int(result.slot.rawValue)])
        }
    }

    private mutating func append(_ entry: Entry, at slot: Slot, _ now: Instant) throws(Violation) {
        let store = stores[stores.count - 1].copy()
        let batch: AppliedBatch
        do {
            applier.enqueue(first: slot, [entry])
            batch = try store.write { try applier.batch(in: $0) }
            applier.adopt(batch)
            digests.append(try store.read { try StoreDigest(of: $0) })
        } catch {
            throw Violation(.state, "\(slot) cannot be applied: \(error)")
        }
        entries.append(entry)
        if case .configuration(_, let configuration) = entry { membership.append(configuration, at: slot) }
        stores.append(store)
        history += batch.consequences.events
        if compactRevision > compactions.last ?? -1 { compactions.append(compactRevision) }
        outcomes.append(batch.results.first.map { "\($0.outcome)" } ?? "")
        for change in batch.consequences.leases {
            switch change {
            case .granted(let lease, _): granted[lease] = slot
            case .revoked(let lease): ended[lease] = slot
            case .expired(let lease):
                ended[lease] = slot
                if let earliest = notBefore[lease],
                    now + TimeSpan(nanoseconds: jumped.nanoseconds - earliest.jumped.nanoseconds)
                        < earliest.time
                {
                    throw Violation(
                        .linearizability,
                        "lease \(lease.rawValue) ended \(earliest.time.since(now)) before its time was over")
                }
            }
        }
    }

    // MARK: what clients are told

    mutating func onAnswer(
        _ operation: MemberClients.Operation, _ result: Result<ServiceAnswer, ServiceError>, at slot: Slot,
        seen: SeenState?, place: Int
    ) throws(Violation) {
        switch result {
        case .success(.outcome(let outcome, let raw)): try onOutcome(operation, outcome, Slot(raw), place)
        case .success(.ready): try onRead(operation, at: slot, seen, place)
        case .success(.leaseRenewed(let seconds)):
            if case .renew(let lease) = operation.kind {
                try judge(lease, lives: seconds > 0, asked: operation)
                if seconds > 0 { keep(lease, seconds, for: operation) }
            }
        case .success(.leaseTimeToLive(let remaining, let granted)):
            guard case .timeToLive(let lease) = operation.kind else { break }
            try judge(lease, lives: remaining >= 0, asked: operation)
            guard remaining <= granted else {
                throw Violation(.linearizability, "\(remaining) s of \(granted) s remain")
            }
        case .success(.done):
            // Whoever made the change has applied it.
            if case .change = operation.kind { known = max(known, slot) }
        case .failure: leaveOpen(operation)
        }
    }

    /// Nobody knows what becomes of it: a write may yet take effect.
    mutating func leaveOpen(_ operation: MemberClients.Operation) {
        guard case .write(let key, let value) = operation.kind else { return }
        note(key, .put(text(value)), nil, operation.place, nil)
    }

    private mutating func onOutcome(
        _ operation: MemberClients.Operation, _ outcome: any SpaceOutcome, _ slot: Slot, _ place: Int
    ) throws(Violation) {
        // Want of room is told without a place in the log.
        if outcome.isWantOfRoom { return }
        guard slot <= last, outcomes[Int(slot.rawValue)] == "\(outcome)" else {
            throw Violation(.state, "a client was told of \(outcome) in \(slot), which the log does not give")
        }
        guard slot > operation.floor else {
            throw Violation(
                .linearizability, "what is in \(slot) was asked for when \(operation.floor) was known")
        }
        known = max(known, slot)
        switch operation.kind {
        case .grant(let lease):
            if case .leaseGranted(_, let seconds, _)? = outcome as? LedgerOutcome {
                keep(lease, seconds, for: operation)
            }
        case .write(let key, let value): note(key, .put(text(value)), .done, operation.place, place)
        default: break
        }
    }

    private mutating func onRead(
        _ operation: MemberClients.Operation, at slot: Slot, _ seen: SeenState?, _ place: Int
    ) throws(Violation) {
        try membership.judgeRead(at: operation.process, askedAt: operation.invoked)
        guard slot >= operation.floor else {
            throw Violation(
                .linearizability, "a read saw \(slot) and was asked for when \(operation.floor) was known")
        }
        guard let seen else { throw Violation(.invariant, "a read saw nothing") }
        let store = stores[Int(slot.rawValue)]
        guard let expected = try? store.read({ try SeenState(of: seen.key, in: $0) }), expected == seen else {
            throw Violation(.state, "a read at \(slot) saw \(seen), which the log does not give")
        }
        known = max(known, slot)
        note(seen.key, .get, .value(text(seen.value)), operation.place, place)
    }

    // MARK: leases

    private mutating func keep(
        _ lease: LeaseID, _ seconds: Int64, for operation: MemberClients.Operation
    ) {
        let begun = operation.invoked
        let nanoseconds = UInt64(seconds) * 1_000_000_000
        let lost = nanoseconds / 1_000_000 * clockSkewPPM
        let until = begun + TimeSpan(nanoseconds: nanoseconds - min(lost, nanoseconds))
        if let before = notBefore[lease], until < before.time { return }
        notBefore[lease] = (until, operation.jumped)
    }

    private func judge(
        _ lease: LeaseID, lives: Bool, asked operation: MemberClients.Operation
    ) throws(Violation) {
        if lives, let end = ended[lease], end <= operation.floor {
            throw Violation(
                .linearizability, "lease \(lease.rawValue) lives, and its end in \(end) was known before")
        }
        if !lives, let grant = granted[lease], grant <= operation.floor, ended[lease] == nil {
            throw Violation(.linearizability, "lease \(lease.rawValue) is called gone and has not ended")
        }
    }

    // MARK: linearizability from outside

    private func text(_ value: [UInt8]?) -> String { value.map { String(decoding: $0, as: UTF8.self) } ?? "" }

    private mutating func note(
        _ key: [UInt8], _ call: KeyValueCell.Call, _ answer: KeyValueCell.Answer?, _ invoked: Int,
        _ returned: Int?
    ) {
        histories[key, default: []].append(
            Operation(call, answer: answer, invoked: invoked, returned: returned))
    }

    /// Whether what clients saw of each key can be put in one order, without a look at any slot.
    func searchLinearizations() throws(Violation) {
        for (key, history) in histories.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let search = LinearizabilitySearch<KeyValueCell>(configurationLimit: 200_000)
            if case .violated = search.run(history) {
                throw Violation(.linearizability, "what clients saw of \(text(key)) has no order")
            }
        }
    }
}

extension SpaceOutcome {
    fileprivate var isWantOfRoom: Bool {
        if case .refused(.ledger(.noSpace), _)? = self as? KeyValueOutcome { return true }
        if case .refused(.noSpace, _)? = self as? LedgerOutcome { return true }
        return false
    }
}
