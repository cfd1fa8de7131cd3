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

    func onStoreFailed(_ error: StoreError) {
        noteLackOfRoom(error)
        tell(.pointFailed(error, isSyncFailed: (try? store.store)?.syncFailure != nil))
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
        noteLackOfRoom(error)
        tell(.storeFull)
    }

    // MARK: checkpoints

    func sendCheckpoint(to receiver: ProcessID) {
        let urls = (members.first { $0.id == receiver.rawValue })?.peerURLs ?? []
        report(.info, "sending a checkpoint at \(member.applier.applied, as: "slot") to \(member: receiver)")
        checkpointExporter.export(to: receiver, urls: urls.compactMap { try? PeerURL($0) })
    }

    func onCheckpointArrived(_ arrival: CheckpointArrival) {
        lastArrival += 1
        arrivals[CheckpointID(lastArrival)] = arrival
        tell(.checkpointArrived(CheckpointID(lastArrival), upTo: arrival.slot))
    }

    func refuseCheckpoint(_ id: CheckpointID, _ refusal: CheckpointRefusal) {
        let reason =
            switch refusal {
            case .isOvertaken: "a later one has arrived"
            case .isOld: "it holds nothing that is not applied already"
            case .isStopping: "the process is stopping"
            }
        arrivals.removeValue(forKey: id)?.end(false, reason)
    }

    /// Switches to the store that a checkpoint has brought.
    func installCheckpoint(_ id: CheckpointID) throws {
        guard let arrival = arrivals.removeValue(forKey: id) else {
            preconditionFailure("no checkpoint has arrived as \(id)")
        }
        let configuration = try ConfigurationCodec.decode(arrival.configuration)
        do {
            guard try arrival.store.durableSlot() == arrival.slot else {
                throw StoreError(.failed, "it is not durable")
            }
            try arrival.moveIntoPlace()
        } catch {
            arrival.end(false, "it cannot be moved into place: \(error)")
            return tell(.checkpointNotInstalled)
        }
        store.replace(by: arrival.store)
        instruments.checkpointsInstalled.add(1)
        report(.info, "installed a checkpoint at \(arrival.slot, as: "slot")")
        try tellInstalled(configuration)
        precondition(member.applier.applied == arrival.slot, "the checkpoint's slot is not its store's")
        onStoreRead()
        feed.storeReplaced(revision: member.applier.ledger.revision)
        arrival.end(true, "")
    }
}
