import Automata
import Coordination
import Paxos
import Replica

// Durable points, the store made anew, and its replacement by a checkpoint: what waits for what.
extension MemberCore {
    /// What is written need not wait for the disk meanwhile: it goes to another store.
    public var isStoreBeingMadeAnew: Bool { renewal.copy != nil }

    /// With every beat: what found no room is tried again.
    mutating func retryStore(_ outputs: inout [MemberOutput]) {
        beginRebuildWhenDue(&outputs)
        if renewal.takePlacing(at: now) { outputs.append(.placeCopy) }
        if durablePoint.takeRetry(at: now) { outputs.append(.makeDurable(upTo: applier.applied)) }
    }

    /// What has become of the store on the disk, and beside it.
    mutating func renew(_ input: MemberInput, _ outputs: inout [MemberOutput]) {
        switch input {
        case .stored(let slot): onStored(slot, &outputs)
        case .pointFailed(let error, let isSyncFailed):
            onPointFailed(error, isSyncFailed: isSyncFailed, &outputs)
        case .storeCopied(let standing): onStoreCopied(standing, &outputs)
        case .switchPutOff(let standing): onSwitchPutOff(standing, &outputs)
        case .storeSwitched(let standing): onStoreSwitched(standing, &outputs)
        case .copyFailed(let error): onCopyFailed(error, &outputs)
        case .copyPlaced: onCopyPlaced(&outputs)
        case .copyNotPlaced(let error): onCopyNotPlaced(error, &outputs)
        case .checkpointArrived(let id, let slot): onCheckpointArrived(id, slot, &outputs)
        case .checkpointNotInstalled: onCheckpointNotInstalled(&outputs)
        default: preconditionFailure("not of the store: \(input)")
        }
    }

    // MARK: durable points

    private mutating func onStored(_ slot: Slot, _ outputs: inout [MemberOutput]) {
        durablePoint.end()
        renewal.note(stored: slot)
        onStoreHasRoom(&outputs)
        step(.stored(upTo: slot), &outputs)
    }

    /// Where there was no room for what is in memory, it stays there and nothing is lost. After a sync has failed nobody
    /// knows what of the store is on the disk, and a second sync would not tell: the system takes the pages for
    /// written. Want of room is mended here; a disk that fails is the operator's.
    private mutating func onPointFailed(
        _ error: StoreError, isSyncFailed: Bool, _ outputs: inout [MemberOutput]
    ) {
        guard error.code == .full else {
            durablePoint.end()
            return outputs.append(.fail(.point(error)))
        }
        guard isSyncFailed else {
            onStoreFull(&outputs)
            // A copy that is under way brings a point of its own, and when it fails that is asked for anew.
            if !renewal.isUnderWay { durablePoint.retry(at: now + StoreRenewal.pause) }
            return
        }
        durablePoint.end()
        if !isStoreSuspended { outputs.append(.report(.storeSuspended(error))) }
        isStoreSuspended = true
        outputs.append(.suspendStore)
        renewal.demandRebuild(at: now)
        if let standing = renewal.resume() { advance(standing, &outputs) }
        beginRebuildWhenDue(&outputs)
    }

    private mutating func beginRebuildWhenDue(_ outputs: inout [MemberOutput]) {
        if renewal.isRebuildDue(at: now) { beginCopy(.point, &outputs) }
    }

    // MARK: the copy

    mutating func onDefragment(_ client: ClientToken, _ outputs: inout [MemberOutput]) {
        if renewal.ask(client) { beginCopy(.latest, &outputs) }
    }

    private mutating func beginCopy(_ source: StoreCopySource, _ outputs: inout [MemberOutput]) {
        renewal.begin(source, at: now)
        durablePoint.begin(at: now)
        outputs.append(.copyStore(source))
    }

    private mutating func onStoreCopied(_ standing: StoreCopyStanding, _ outputs: inout [MemberOutput]) {
        precondition(renewal.copy != nil, "a copy of the store that nobody wants: \(standing)")
        advance(standing, &outputs)
    }

    /// Brings the copy nearer to the store, or puts it in its place.
    private mutating func advance(_ standing: StoreCopyStanding, _ outputs: inout [MemberOutput]) {
        // What one that is overthrown lacks may be trimmed.
        let rest = renewal.isUnderWay ? entries(after: standing) : []
        let step = renewal.advance(
            standing, lacks: applier.applied.rawValue - min(standing.applied, applier.applied).rawValue,
            atHand: rest.count, isBatchAway: isBatchAway)
        switch step {
        case .discard:
            outputs.append(.discardCopy)
            endCopy(nil, &outputs)
            beginRebuildWhenDue(&outputs)
        case .catchUp: outputs.append(.catchUpCopy(rest))
        case .wait: break
        case .switchIn: outputs.append(.switchStore(rest))
        }
    }

    private func entries(after standing: StoreCopyStanding) -> [Entry] {
        // It was copied after a batch was written of which this member has yet to hear.
        guard standing.applied < applier.applied else { return [] }
        return replica.chosenEntries(
            after: standing.applied, through: applier.applied, bytesLimit: StoreRenewal.catchUpBytes)
    }

    /// What was left was too much for the time between two turns.
    private mutating func onSwitchPutOff(_ standing: StoreCopyStanding, _ outputs: inout [MemberOutput]) {
        outputs.append(.catchUpCopy(entries(after: standing)))
    }

    private mutating func onStoreSwitched(_ standing: StoreCopyStanding, _ outputs: inout [MemberOutput]) {
        precondition(
            standing.applied == applier.applied && standing.revision == applier.ledger.revision,
            "the copy is not the store's equal: \(standing), applied \(applier.applied)")
        renewal.switched(standing)
        outputs.append(.placeCopy)
        isStoreSuspended = false
        compaction.hasWork = true
        onStoreHasRoom(&outputs)
        answerReady(&outputs)
    }

    private mutating func onCopyPlaced(_ outputs: inout [MemberOutput]) {
        guard let copy = renewal.copy, case .switched(let standing, _) = copy.stage else {
            preconditionFailure("a copy is in place that is not the store: \(renewal)")
        }
        outputs.append(
            .report(
                .storeMadeAnew(
                    took: now.since(copy.begun), isWanted: renewal.hasWaiters || copy.source == .point,
                    isAsked: renewal.hasWaiters)))
        endCopy(nil, &outputs)
        onStored(standing.durable, &outputs)
        installWaiting(&outputs)
    }

    private mutating func onCopyNotPlaced(_ error: StoreError, _ outputs: inout [MemberOutput]) {
        guard error.code == .full else { return outputs.append(.fail(.place(error))) }
        onStoreFull(&outputs)
        renewal.placeLater(at: now)
    }

    private mutating func onCopyFailed(_ error: StoreError, _ outputs: inout [MemberOutput]) {
        guard let copy = renewal.copy else {
            preconditionFailure("a copy failed that nobody wants: \(error)")
        }
        guard !copy.isOverthrown else {
            endCopy(nil, &outputs)
            return beginRebuildWhenDue(&outputs)
        }
        endCopy(error, &outputs)
        guard copy.source == .point else {
            // There is no room for a copy, or the disk fails; the point that is due is taken in the other way.
            durablePoint.begin(at: now)
            return outputs.append(.makeDurable(upTo: applier.applied))
        }
        guard error.code == .full else { return outputs.append(.fail(.rebuild(error))) }
        onStoreFull(&outputs)
        renewal.rebuildLater(at: now)
    }

    private mutating func endCopy(_ error: StoreError?, _ outputs: inout [MemberOutput]) {
        durablePoint.end()
        let result: Result<ServiceAnswer, ServiceError> =
            error.map { .failure(.internalFailure("\($0)")) } ?? .success(.done)
        for client in renewal.end() { outputs.append(.answer(client, result)) }
    }

    // MARK: checkpoints

    /// A checkpoint comes in the store's place, unless this process has meanwhile applied more. A batch that is away
    /// would be written to the store that goes, and a copy that is not in place be lost to a restart: it waits for them.
    private mutating func onCheckpointArrived(
        _ id: CheckpointID, _ slot: Slot, _ outputs: inout [MemberOutput]
    ) {
        guard !isBatchAway, !renewal.isSwitched else {
            if let earlier = checkpoints.wait(id, slot) {
                outputs.append(.refuseCheckpoint(earlier, .isOvertaken))
            }
            return
        }
        guard !isStopping else { return outputs.append(.refuseCheckpoint(id, .isStopping)) }
        guard applier.applied < slot else { return outputs.append(.refuseCheckpoint(id, .isOld)) }
        checkpoints.begin(id)
        outputs.append(.installCheckpoint(id))
    }

    private mutating func onCheckpointNotInstalled(_ outputs: inout [MemberOutput]) {
        checkpoints.end()
        step(.checkpointFailed(me), &outputs)
        resumeCopy(&outputs)
    }

    private mutating func installWaiting(_ outputs: inout [MemberOutput]) {
        guard let arrival = checkpoints.takeWaiting() else { return }
        onCheckpointArrived(arrival.id, arrival.slot, &outputs)
    }

    /// The batch that was away is applied, or was not: what waited for it goes on, a checkpoint first.
    mutating func onBatchBack(_ outputs: inout [MemberOutput]) {
        guard !isBatchAway, !renewal.isSwitched else { return }
        installWaiting(&outputs)
        if !checkpoints.isInstalling { resumeCopy(&outputs) }
    }

    private mutating func resumeCopy(_ outputs: inout [MemberOutput]) {
        if let standing = renewal.resume() { advance(standing, &outputs) }
    }

    /// Another store has come in the place of the one that was copied.
    mutating func overthrowCopy(_ outputs: inout [MemberOutput]) {
        checkpoints.end()
        guard renewal.overthrow(stored: applier.applied) else { return }
        outputs.append(.discardCopy)
        endCopy(nil, &outputs)
    }
}
