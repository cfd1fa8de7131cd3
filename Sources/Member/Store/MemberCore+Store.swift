import Automata
import Coordination
import Paxos
import Replica

// From chosen entries to answers; room, compaction and durable points.
extension MemberCore {
    // MARK: applying

    /// Writes the next chosen entries; changes nothing here, before `.applied` says that they are in the store. When
    /// it throws, the transaction is to be rolled back. (Mutating, so that nothing is copied for the call.)
    public mutating func nextBatch(
        in transaction: any OrderedTransaction, within allowance: WorkAllowance? = nil
    ) throws -> AppliedBatch {
        try applier.batch(in: transaction, within: allowance)
    }

    mutating func onApplied(_ batch: AppliedBatch, _ outputs: inout [MemberOutput]) {
        isBatchAway = false
        applier.adopt(batch)
        onStoreHasRoom(&outputs)
        for change in batch.consequences.leases { leases.follow(change, now: now) }
        if batch.consequences.hasCompacted { compaction.hasWork = true }
        for result in batch.results { settle(result, &outputs) }
        for change in batch.changes { settle(change, &outputs) }
        durablePoint.note(entries: batch.entries)
        if batch.hasChangedMembers { outputs.append(.membersChanged) }
        step(.applied(upTo: applier.applied), &outputs)
        answerReady(&outputs)
        onBatchBack(&outputs)
    }

    /// The state is now that of another store, which a checkpoint has brought, durable, up to a later slot; `reader`
    /// sees it.
    public mutating func install(
        _ configuration: Configuration, from reader: any OrderedReader, at time: Instant,
        into outputs: inout [MemberOutput]
    ) throws {
        now = max(now, time)
        defer { lookAround() }
        applier.enter(try Applier(from: reader))
        overthrowCopy(&outputs)
        isStoreSuspended = false
        onStoreHasRoom(&outputs)
        try restoreLeases(from: reader)
        durablePoint = DurablePoint(now: now)
        compaction.hasWork = true
        outputs.append(.membersChanged)
        step(.checkpointInstalled(upTo: applier.applied, configuration), &outputs)
        answerReady(&outputs)
    }

    // MARK: compaction

    /// Physically removes a little of what was compacted; like `nextBatch`.
    public mutating func nextCompaction(in transaction: any OrderedTransaction) throws -> CompactionStep {
        try applier.compaction(in: transaction, limit: 256)
    }

    mutating func onCompacted(_ step: CompactionStep, _ outputs: inout [MemberOutput]) {
        applier.adopt(step)
        onStoreHasRoom(&outputs)
        compaction.hasWork = step.isLeft
        guard !step.isLeft else { return }
        for client in compaction.take(upTo: applier.ledger.compactRevision) {
            outputs.append(.answer(client, .success(.done)))
        }
    }

    mutating func compactOnItsOwn(_ outputs: inout [MemberOutput]) {
        let ledger = applier.ledger
        let revision = compaction.compactor.due(
            revision: ledger.revision, compacted: ledger.compactRevision, now: now, isLeading: isLeading)
        guard let revision else { return }
        outputs.append(.report(.compacts(before: revision)))
        propose(KeyValueCommand.compact(revision: revision), .compact)
    }

    // MARK: room

    /// What was to be written is tried again every second. Reads go on; what may need room is refused before it
    /// reaches the log.
    mutating func onStoreFull(_ outputs: inout [MemberOutput]) {
        if !room.isStoreFull { outputs.append(.report(.storeFull)) }
        room.storeIsFull(at: now)
        raiseNoSpaceAlarm(&outputs)
    }

    mutating func onStoreHasRoom(_ outputs: inout [MemberOutput]) {
        guard room.isStoreFull else { return }
        room.isStoreFull = false
        outputs.append(.report(.storeHasRoom))
    }

    mutating func onLogFull(_ isFull: Bool, _ outputs: inout [MemberOutput]) {
        room.isLogFull = isFull
        outputs.append(.report(.logFull(isFull)))
        if isFull { raiseNoSpaceAlarm(&outputs) }
    }

    mutating func onLogSpaceLow(_ isLow: Bool, _ outputs: inout [MemberOutput]) {
        room.isLogSpaceLow = isLow
        outputs.append(.report(.logSpaceLow(isLow)))
        if isLow { raiseNoSpaceAlarm(&outputs) }
    }

    /// Looks at the quota, and whether what is applied is to be made durable.
    mutating func measure(_ store: StoreReading, _ outputs: inout [MemberOutput]) {
        let quota = settings.limits.quotaBytes
        room.isOverQuota = quota > 0 && store.bytesInUse > quota
        room.isStoreSpaceLow = store.isSpaceLow
        if room.isOverQuota || room.isStoreSpaceLow { raiseNoSpaceAlarm(&outputs) }
        // A copy brings a point of its own; one of the store that it replaces would let the log be trimmed for nothing.
        let isDue =
            !renewal.isUnderWay
            && durablePoint.isDue(
                at: now, entryLimit: settings.checkpointEntries, store)
        if isDue {
            durablePoint.begin(at: now)
            outputs.append(.makeDurable(upTo: applier.applied))
        }
    }

    mutating func raiseNoSpaceAlarm(_ outputs: inout [MemberOutput]) {
        let alarm = Alarm(member: me.rawValue, kind: .noSpace)
        guard leader != nil, !isStopping, !applier.ledger.alarms.contains(alarm), room.alarmIsDue(at: now)
        else { return }
        outputs.append(.report(.raisesNoSpace))
        propose(LedgerCommand.setAlarm(alarm, raised: true), .raiseAlarm)
    }
}
