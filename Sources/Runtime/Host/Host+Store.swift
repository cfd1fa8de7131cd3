import Automata
import Coordination
import Member
import NIOPosix
import Paxos
import Replica

// The store: its durable points and its replacement by a checkpoint; the log's segments.
extension Host {
    /// The store is another one now, or was just opened.
    func onStoreRead() {
        onMembersChanged()
        publishState()
        countKeys()
    }

    var storeReading: StoreReading? {
        guard let store = try? store.store else { return nil }
        return StoreReading(
            bytesInUse: store.size.inUse, bytesWrittenSincePoint: store.bytesWrittenSincePoint,
            isSpaceLow: store.isSpaceLow)
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

    func makeStoreDurable() { keeper.synchronize(upTo: member.applier.applied) }

    func onStored(_ slot: Slot) {
        tell(.pointEnded)
        lastStored = max(lastStored, slot)
        tell(.stored(upTo: slot))
    }

    /// Where there was no room for what is in memory, it stays there and nothing is lost. After a sync has failed nobody
    /// knows what of the store is on the disk, and a second sync would not tell: the system takes the pages for
    /// written. Want of room is mended here; a disk that fails is the operator's.
    func onStoreFailed(_ error: StoreError) {
        let isSyncFailed = (try? store.store)?.syncFailure != nil
        guard error.code == .full else {
            tell(.pointEnded)
            return onFailure(
                "the store cannot be made durable: \(error). Nothing acknowledged is lost: after a restart the "
                    + "store is as it was at its last durable point, and the log brings it up to date. Look at "
                    + "the disk first")
        }
        guard isSyncFailed else {
            onStoreFull(error)
            pointRetry = now + .seconds(1)
            return
        }
        tell(.pointEnded)
        rebuildStore(after: error)
    }

    func retryPoint() {
        guard let time = pointRetry, time <= now else { return }
        pointRetry = nil
        makeStoreDurable()
    }

    // MARK: the log's segments

    func onSegmentFull() {
        segments.cut()
        works.append(.cut(preamble: member.replica.segmentPreamble))
    }

    func trimLog(before slot: Slot) {
        if let segment = segments.removable(before: slot) { works.append(.remove(before: segment)) }
    }

    func onStoreFull(_ error: StoreError) {
        lackOfRoom = error.message
        tell(.storeFull)
    }

    // MARK: checkpoints

    func sendCheckpoint(to receiver: ProcessID) {
        let urls = (members.first { $0.id == receiver.rawValue })?.peerURLs ?? []
        report(.info, "sending a checkpoint at \(member.applier.applied, as: "slot") to \(member: receiver)")
        checkpointExporter.export(to: receiver, urls: urls.compactMap { try? PeerURL($0) })
    }

    /// Switches to the store that a checkpoint has brought, unless this process has meanwhile applied more.
    func onCheckpointArrived(_ arrival: CheckpointArrival) throws {
        guard !member.isBatchAway, copying?.isSwitched != true else {
            waitingArrival?.end(false, "a later one has arrived")
            waitingArrival = arrival
            return
        }
        guard member.applier.applied < arrival.slot, !member.isStopping else {
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
            tell(.checkpointFailed(identity.memberID))
            return
        }
        store.replace(by: arrival.store)
        overthrowCopy()
        lastStored = arrival.slot
        instruments.checkpointsInstalled.add(1)
        report(.info, "installed a checkpoint at \(arrival.slot, as: "slot")")
        try tellInstalled(configuration)
        precondition(member.applier.applied == arrival.slot, "the checkpoint's slot is not its store's")
        onStoreRead()
        feed.storeReplaced(revision: member.applier.ledger.revision)
        arrival.end(true, "")
    }
}
