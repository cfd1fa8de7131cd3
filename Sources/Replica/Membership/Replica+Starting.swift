import Automata
import Paxos

/// Coming up, handing over records, and leaving for good.
extension Replica {
    var me: ProcessID { settings.process }

    mutating func onStart(_ outputs: inout [ReplicaOutput]) {
        persist(.started(incarnation: incarnation, isMember: wasMember), &outputs)
        // The log is kept behind the stored slot only where it is known to hold what was chosen; saying so
        // before any later hint keeps that true after the next restart.
        if hintedUpTo < storedUpTo {
            persist(.floor(storedUpTo), &outputs)
            hintedUpTo = storedUpTo
        }
        startedAt = now
        outputs.append(.configurationChanged(configuration))
        learn(upTo: hintedUpTo, &outputs)
        beginTakingPart(&outputs)
    }

    mutating func beginTakingPart(_ outputs: inout [ReplicaOutput]) {
        if isQuorumAlone, !isBoundByLease {
            beginPreparing(nextBallot, &outputs)
        } else {
            let early =
                settings
                .heartbeatInterval...max(
                    settings.heartbeatInterval, settings.electionTimeout.half)
            outputs.append(.setTimer(.election, after: early))
        }
    }

    /// Whether this process needs no other.
    var isQuorumAlone: Bool {
        takesPart && configuration.isPhase1Quorum([me]) && configuration.isPhase2Quorum([me])
    }

    @discardableResult
    mutating func persist(_ record: ReplicaRecord, _ outputs: inout [ReplicaOutput]) -> RecordNumber {
        lastRecord = RecordNumber(lastRecord.rawValue + 1)
        outputs.append(.persist(record))
        return lastRecord
    }

    /// What a message must wait for that depends on everything handed over so far.
    var everythingSoFar: RecordNumber { unlessDurable(lastRecord) }

    /// What a message must wait for that carries the number of this start.
    var thisStart: RecordNumber { unlessDurable(RecordNumber(1)) }

    func unlessDurable(_ record: RecordNumber) -> RecordNumber { record <= durableUpTo ? .none : record }

    func send(
        _ message: ReplicaMessage, to process: ProcessID, after record: RecordNumber = .none,
        _ outputs: inout [ReplicaOutput]
    ) {
        outputs.append(.send(message, to: process, after: record))
    }

    mutating func onDurable(upTo record: RecordNumber, _ outputs: inout [ReplicaOutput]) {
        precondition(record <= lastRecord, "record \(record) is durable, of \(lastRecord) handed over")
        durableUpTo = max(durableUpTo, record)
        if let preparing, preparing.ownRecord <= durableUpTo { finishOwnPromise(&outputs) }
        if leadership != nil { acceptOwn(&outputs) }
    }

    /// A process that was a member and is none any more leaves once the configuration without it has chosen
    /// something: until then the others may need it to learn of that configuration.
    mutating func retireIfRemoved(_ outputs: inout [ReplicaOutput]) {
        if configuration.isMember(me) { wasMember = true }
        guard wasMember, !isRetired, !configuration.isMember(me), leadership == nil,
            chosenUpTo > configurationSlot
        else { return }
        retire(&outputs)
    }

    mutating func retire(_ outputs: inout [ReplicaOutput]) {
        isRetired = true
        abandonCandidacy()
        loseLeader(&outputs)
        finishSuccession(.timedOut, &outputs)
        outputs.append(.cancelTimer(.election))
        outputs.append(.cancelTimer(.resend))
        isResendArmed = false
        outputs.append(.retire)
    }
}

extension TimeSpan {
    var half: TimeSpan { TimeSpan(nanoseconds: nanoseconds / 2) }
}
