import Automata
import Coordination
import Paxos
import Replica

// The store: its durable points, its room, and its replacement by a checkpoint.
extension Host {
    /// What the applied state was when the process ended, or when a checkpoint was installed.
    func loadFromStore() throws {
        leases = LeaseClock(electionTimeout: options.electionTimeout)
        let found = try store.read { try KeyValueReader($0).leases() }
        for lease in found { leases.grant(lease.id, seconds: lease.seconds, now: now) }
        if leader == identity.memberID { leases.promote(now: now) }
        onMembersChanged()
        publishState()
    }

    // MARK: durable points

    func takeDurablePointIfDue() {
        guard
            durablePoint.isDue(
                at: now, entryLimit: options.checkpointEntries,
                storeBytes: (try? store.store.bytesWrittenSincePoint) ?? 0)
        else { return }
        durablePoint.begin(at: now)
        keeper.synchronize(upTo: applier.applied)
    }

    func onStored(_ slot: Slot) {
        durablePoint.end()
        step(.stored(upTo: slot))
    }

    func onStoreFailed(_ error: StoreError) {
        durablePoint.end()
        if error.code == .full {
            onStoreFull(error)
        } else {
            onFailure("the store cannot be made durable: \(error)")
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
        guard leader != nil, stop == nil, !applier.space.alarms.contains(alarm),
            lastAlarmProposal == .zero || lastAlarmProposal + .seconds(2) < now
        else { return }
        lastAlarmProposal = now
        report(.warning, LogLine("raising the alarm NOSPACE").with("alarm", .text("NOSPACE")))
        propose(.setAlarm(alarm, raised: true), .raiseAlarm)
    }

    // MARK: checkpoints

    func sendCheckpoint(to receiver: ProcessID) {
        let urls = (members.first { $0.id == receiver.rawValue })?.peerURLs ?? []
        report(.info, "sending a checkpoint at \(applier.applied, as: "slot") to \(member: receiver)")
        checkpointExporter.export(to: receiver, urls: urls.compactMap { try? PeerURL($0) })
    }

    /// Switches to the store that a checkpoint has brought, unless this process has meanwhile applied more.
    func onCheckpointArrived(_ arrival: CheckpointArrival) throws {
        guard applier.applied < arrival.slot, stop == nil else {
            arrival.end(false, "it holds nothing that is not applied already")
            return
        }
        let configuration = try ConfigurationCodec.decode(arrival.configuration)
        do {
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
        hasCompactionWork = true
        feed.storeReplaced(revision: applier.space.revision)
        instruments.checkpointsInstalled.add(1)
        report(.info, "installed a checkpoint at \(arrival.slot, as: "slot")")
        step(.checkpointInstalled(upTo: arrival.slot, configuration))
        arrival.end(true, "")
        answerReady()
    }

    /// Keeps this thread busy for as long as copying the store takes, as operators expect of it.
    func onDefragment(_ port: Port, _ token: UInt64) {
        let begun = MonotonicClock.now()
        do {
            try store.store.defragment()
            report(.info, "defragmented the store in \(MonotonicClock.now().since(begun), as: "took")")
            step(.stored(upTo: applier.applied))
            answer(port, token, .success(.done))
        } catch {
            answer(port, token, .failure(.internalFailure("\(error)")))
        }
    }
}
