import Automata
import Coordination
import Member
import NIOPosix
import Paxos
import Replica

// The store: its durable points, its room, and its replacement by a checkpoint.
extension Host {
    /// What the applied state was when the process ended, or when a checkpoint was installed.
    func loadFromStore() throws {
        leases.restore(
            try store.read { try LedgerReader($0).leases() }, electionTimeout: options.electionTimeout,
            leads: leader == identity.memberID, now: now)
        onMembersChanged()
        publishState()
        countKeys()
    }

    /// Counts the keys in the background, as they are at this moment; what is applied later is added as it comes.
    private func countKeys() {
        let beginning = instruments.keys.begin()
        guard let view = try? store.store.openView() else { return }
        NIOThreadPool.singleton.submit { [instruments] _ in
            defer { view.close() }
            var query = RangeQuery(range: KeyRange(key: [0], end: []))
            query.countOnly = true
            guard let found = try? KeyValueReader(view).range(query) else { return }
            instruments.keys.end(beginning, count: Int(found.count))
        }
    }

    // MARK: durable points

    func takeDurablePointIfDue() {
        guard
            durablePoint.isDue(
                at: now, entryLimit: options.checkpointEntries,
                storeBytes: (try? store.store.bytesWrittenSincePoint) ?? 0)
        else { return }
        if isSmallAndSpacious { return beginCopy(.latest) }
        durablePoint.begin(at: now)
        keeper.synchronize(upTo: applier.applied)
    }

    /// Pages that are freed can be used again only after a durable point, so that a few hundred single puts leave
    /// a small store in a large file. To make it anew is then as good as a point, and costs about as much.
    private var isSmallAndSpacious: Bool {
        guard smallCopyRetry <= now, let store = try? store.store,
            store.bytesWrittenSincePoint < DurablePoint.bytesLimit
        else { return false }
        let used = store.size.inUse
        return used <= Host.smallStoreBytes && store.spareBytes > used + Host.smallStoreBytes / 2
    }

    private static let smallStoreBytes = 8 << 20

    func onStored(_ slot: Slot) {
        durablePoint.end()
        lastStored = max(lastStored, slot)
        step(.stored(upTo: slot))
    }

    /// After a sync has failed nobody knows what of the store is on the disk, and a second sync would not tell:
    /// the system takes the pages for written. Want of room is mended here; a disk that fails is the operator's.
    func onStoreFailed(_ error: StoreError) {
        durablePoint.end()
        if error.code == .full {
            rebuildStore(after: error)
        } else {
            onFailure(
                "the store cannot be made durable: \(error). Nothing acknowledged is lost: after a restart the "
                    + "store is as it was at its last durable point, and the log brings it up to date. Look at "
                    + "the disk first")
        }
    }

    // MARK: the log's segments

    func onSegmentFull() {
        segments.cut()
        works.append(.cut(preamble: replica.segmentPreamble))
    }

    func trimLog(before slot: Slot) {
        if let segment = segments.removable(before: slot) { works.append(.remove(before: segment)) }
    }

    // MARK: room

    /// The batch stays queued and is tried again every second. Reads go on; what may need room is refused
    /// before it reaches the log.
    func onStoreFull(_ error: StoreError) {
        if !isStoreFull { report(.error, "the store's disk is full: \(error.message, as: "error")") }
        isStoreFull = true
        applyRetry = now + .seconds(1)
        raiseNoSpaceAlarm()
    }

    func onStoreHasRoom() {
        guard isStoreFull else { return }
        isStoreFull = false
        report(.info, "the store's disk has room again")
    }

    func onLogFull(_ isFull: Bool) {
        isLogFull = isFull
        report(isFull ? .error : .info, isFull ? "the log's disk is full" : "the log's disk has room again")
        if isFull { raiseNoSpaceAlarm() }
    }

    func onLogBacklog(isFull: Bool) {
        report(
            isFull ? .warning : .info,
            isFull
                ? "the log's disk is slow: \(logBacklog.bytes, as: "bytes") bytes wait for it, and nothing more is taken"
                : "the log's disk has caught up, and more is taken")
    }

    func onLogSpaceLow(_ isLow: Bool) {
        isLogSpaceLow = isLow
        report(
            isLow ? .warning : .info,
            isLow ? "the log's disk has little room left" : "the log's disk has enough room again")
        if isLow { raiseNoSpaceAlarm() }
    }

    func checkQuota() {
        let quota = options.limits.quotaBytes
        guard let store = try? store.store else { return }
        isOverQuota = quota > 0 && store.size.inUse > quota
        isStoreSpaceLow = store.isSpaceLow
        if isOverQuota || isStoreSpaceLow { raiseNoSpaceAlarm() }
    }

    func raiseNoSpaceAlarm() {
        let alarm = Alarm(member: identity.memberID.rawValue, kind: .noSpace)
        guard leader != nil, stop == nil, !applier.ledger.alarms.contains(alarm),
            lastAlarmProposal == .zero || lastAlarmProposal + .seconds(2) < now
        else { return }
        lastAlarmProposal = now
        report(.warning, LogLine("raising the alarm NOSPACE").with("alarm", .text("NOSPACE")))
        propose(LedgerCommand.setAlarm(alarm, raised: true), .raiseAlarm)
    }

    // MARK: checkpoints

    func sendCheckpoint(to receiver: ProcessID) {
        let urls = (members.first { $0.id == receiver.rawValue })?.peerURLs ?? []
        report(.info, "sending a checkpoint at \(applier.applied, as: "slot") to \(member: receiver)")
        checkpointExporter.export(to: receiver, urls: urls.compactMap { try? PeerURL($0) })
    }

    /// Switches to the store that a checkpoint has brought, unless this process has meanwhile applied more.
    func onCheckpointArrived(_ arrival: CheckpointArrival) throws {
        guard !applier.isAway, copying?.isSwitched != true else {
            waitingArrival?.end(false, "a later one has arrived")
            waitingArrival = arrival
            return
        }
        guard applier.applied < arrival.slot, stop == nil else {
            arrival.end(false, "it holds nothing that is not applied already")
            return
        }
        let configuration = try ConfigurationCodec.decode(arrival.configuration)
        do {
            guard try arrival.store.durableSlot() == arrival.slot else {
                throw StoreError(.failed, "it is not durable")
            }
            try arrival.moveIntoPlace()
        } catch {
            arrival.end(false, "it cannot be moved into place: \(error)")
            step(.checkpointFailed(identity.memberID))
            return
        }
        store.replace(by: arrival.store)
        try applier.reload()
        precondition(applier.applied == arrival.slot, "the checkpoint's slot is not its store's")
        onStoreHasRoom()
        try loadFromStore()
        durablePoint = DurablePoint(now: now)
        lastStored = arrival.slot
        overthrowCopy()
        hasCompactionWork = true
        feed.storeReplaced(revision: applier.ledger.revision)
        instruments.checkpointsInstalled.add(1)
        report(.info, "installed a checkpoint at \(arrival.slot, as: "slot")")
        step(.checkpointInstalled(upTo: arrival.slot, configuration))
        arrival.end(true, "")
        answerReady()
    }
}
