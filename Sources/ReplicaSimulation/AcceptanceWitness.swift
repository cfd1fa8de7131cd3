import Automata
import Paxos
import Replica

/// Sees every record that some process writes and learns when it becomes durable, and says from that alone what
/// is proposed, accepted and chosen. What a process claims is held against it at once: an error need not wait
/// until two processes have applied different entries.
///
/// It knows Paxos by its definition only (Lamport, Paxos Made Simple, 2001): at one ballot a slot has one value;
/// an acceptor accepts nothing below what it has promised; a value is chosen when a phase-2 quorum has accepted
/// it at one ballot; a proposer above that ballot proposes nothing else.
struct AcceptanceWitness {
    private struct Vote {
        let ballot: Ballot
        let entry: Entry
        var acceptors: [ProcessID]
    }

    private struct Writer {
        let process: ProcessID
        /// Written and not durable, in order; the first of them has the number `durable` + 1.
        var pending: [ReplicaRecord] = []
        var durable: UInt64 = 0
        /// The highest ballot that is durably promised, in whatever life of the process.
        var promised = Ballot.none
        var isIgnored = false
    }

    /// What is chosen, from slot 1 on, and at which ballot it was first.
    private(set) var chosen: [Entry] = []
    private var chosenAt: [Ballot] = []
    /// In force after what is chosen.
    private(set) var configuration: Configuration
    /// What is durably accepted in slots after those.
    private var votes: [Slot: [Vote]] = [:]
    /// What the owner of each ballot has proposed.
    private var proposals: [Slot: [(ballot: Ballot, entry: Entry)]] = [:]
    private var writers: [Writer] = []

    init(bootstrap: Configuration) { configuration = bootstrap }

    var lastChosen: Slot { Slot(UInt64(chosen.count)) }

    // MARK: What happens

    /// The process has lost its disk, with all that it had promised: what comes under its name is from another
    /// acceptor.
    mutating func forget(_ process: ProcessID) { writers.removeAll { $0.process == process } }

    /// The process has another disk than the one with which it takes part, and its acceptances choose nothing.
    mutating func ignore(_ process: ProcessID) { writers[writer(process)].isIgnored = true }

    /// The process has started from its disk, where these records were found.
    mutating func onStarted(_ process: ProcessID, from records: [ReplicaRecord]) {
        let index = writer(process)
        writers[index].pending = []
        writers[index].durable = 0
        for record in records { onDurable(record, index) }
        advance()
    }

    mutating func onWrote(_ process: ProcessID, _ record: ReplicaRecord) throws(Violation) {
        let index = writer(process)
        writers[index].pending.append(record)
        guard case .accepted(let acceptance) = record else { return }
        guard acceptance.ballot >= writers[index].promised else {
            throw Violation(
                .acceptance,
                "\(process) accepts \(acceptance.first) at \(acceptance.ballot) and has promised "
                    + "\(writers[index].promised)")
        }
        for (offset, entry) in acceptance.entries.enumerated() {
            let slot = acceptance.first.advanced(by: offset)
            try check(entry, in: slot, at: acceptance.ballot, of: process)
        }
    }

    /// All records of this life of the process up to this one are durable.
    mutating func onDurable(_ process: ProcessID, upTo record: RecordNumber) {
        let index = writer(process)
        guard record.rawValue > writers[index].durable else { return }
        let count = min(Int(record.rawValue - writers[index].durable), writers[index].pending.count)
        for record in writers[index].pending.prefix(count) { onDurable(record, index) }
        writers[index].pending.removeFirst(count)
        writers[index].durable += UInt64(count)
        advance()
    }

    // MARK: What processes claim

    /// The process says that everything up to `slot` is chosen.
    func check(claim slot: Slot, of process: ProcessID) throws(Violation) {
        guard slot > lastChosen else { return }
        throw Violation(
            .acceptance, "\(process) takes \(slot) for chosen; a quorum has accepted only \(lastChosen)")
    }

    /// The process has executed these entries.
    func check(_ entries: [Entry], from first: Slot, appliedBy process: ProcessID) throws(Violation) {
        for (offset, entry) in entries.enumerated() {
            let slot = first.advanced(by: offset)
            try check(claim: slot, of: process)
            guard chosen[Int(slot.rawValue) - 1] == entry else {
                throw Violation(
                    .agreement,
                    "\(process) applied \(entry) in \(slot), where a quorum has accepted "
                        + "\(chosen[Int(slot.rawValue) - 1])")
            }
        }
    }

    // MARK: The definition

    private mutating func check(
        _ entry: Entry, in slot: Slot, at ballot: Ballot, of process: ProcessID
    ) throws(Violation) {
        let isChosen = slot <= lastChosen
        let known = proposals[slot]?.first { $0.ballot == ballot }?.entry
        if let known, known != entry {
            throw Violation(
                .acceptance, "\(process) has \(entry) in \(slot) at \(ballot), where \(known) was proposed")
        }
        if known == nil {
            // What is known to be chosen travels at the ballot of the day, and was proposed at another.
            if isChosen, chosen[Int(slot.rawValue) - 1] == entry { return }
            guard ballot.process == process else {
                throw Violation(
                    .acceptance, "\(process) accepts \(entry) in \(slot) at \(ballot): nobody proposed it")
            }
            proposals[slot, default: []].append((ballot, entry))
        }
        if isChosen, ballot >= chosenAt[Int(slot.rawValue) - 1], chosen[Int(slot.rawValue) - 1] != entry {
            throw Violation(
                .acceptance,
                "\(process) proposes \(entry) in \(slot) at \(ballot); \(chosen[Int(slot.rawValue) - 1]) is "
                    + "chosen since \(chosenAt[Int(slot.rawValue) - 1])")
        }
    }

    private mutating func onDurable(_ record: ReplicaRecord, _ index: Int) {
        switch record {
        case .promised(let ballot):
            writers[index].promised = max(writers[index].promised, ballot)
        case .accepted(let acceptance):
            writers[index].promised = max(writers[index].promised, acceptance.ballot)
            for (offset, entry) in acceptance.entries.enumerated() {
                let slot = acceptance.first.advanced(by: offset)
                if slot > lastChosen, !writers[index].isIgnored {
                    vote(writers[index].process, entry, in: slot, at: acceptance.ballot)
                }
            }
        case .started, .chosen, .floor: break
        }
    }

    private mutating func vote(_ acceptor: ProcessID, _ entry: Entry, in slot: Slot, at ballot: Ballot) {
        if let index = votes[slot]?.firstIndex(where: { $0.ballot == ballot }) {
            if votes[slot]![index].acceptors.contains(acceptor) { return }
            votes[slot]![index].acceptors.append(acceptor)
        } else {
            votes[slot, default: []].append(Vote(ballot: ballot, entry: entry, acceptors: [acceptor]))
        }
    }

    private mutating func advance() {
        while let some = votes[lastChosen.next],
            let quorum = some.first(where: {
                follows($0.entry) && configuration.isPhase2Quorum($0.acceptors)
            })
        {
            votes[lastChosen.next] = nil
            chosen.append(quorum.entry)
            chosenAt.append(quorum.ballot)
            if case .configuration(_, let next) = quorum.entry { configuration = next }
        }
    }

    /// What an earlier configuration's leader proposed to follow it was not chosen by that, or this one would not be in
    /// force; that fewer suffice now does not make it chosen.
    private func follows(_ entry: Entry) -> Bool {
        if case .configuration(_, let next) = entry { next.epoch == configuration.epoch + 1 } else { true }
    }

    private mutating func writer(_ process: ProcessID) -> Int {
        if let index = writers.firstIndex(where: { $0.process == process }) { return index }
        writers.append(Writer(process: process))
        return writers.count - 1
    }
}
