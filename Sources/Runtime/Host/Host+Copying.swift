import Automata
import Coordination
import Member
import Paxos
import Replica

// The store made anew, without the room that it has to spare or after a sync of it has failed. The store thread
// copies; what was chosen meanwhile it applies to the copy from the log; and when little is left, this thread
// applies that, and from one turn to the next the copy is the store:
//
//     keeper.copy ─► storeCopied ─► keeper.catchUp ─► storeCopied … ─► (the rest) switch ─► keeper.place ─► storePlaced
//
// Until the copy is in place on the disk as well a restart finds the old store, so no durable point is taken and
// the log is not trimmed in between.

/// A store that is being made anew.
struct StoreCopying {
    let source: StoreCopySource
    let begun: Instant
    /// Who asked for it.
    var waiters: [ClientToken] = []
    /// The copy is the store already, but not yet what a restart finds.
    var isSwitched = false
    /// Another store has come in the place of the one that is copied.
    var isOverthrown = false
}

extension Host {
    /// What is applied to a copy at the switch itself, and what at a time before it.
    private static let switchEntries = 256
    private static let catchUpBytes = 64 << 20

    func onDefragment(_ client: ClientToken) {
        guard !member.isStopping else { return answer(client, .failure(.stopped)) }
        if copying == nil { beginCopy(.latest) }
        copying!.waiters.append(client)
    }

    func beginCopy(_ source: StoreCopySource) {
        copying = StoreCopying(source: source, begun: now)
        tell(.pointBegun)
        keeper.copy(source)
    }

    /// A store whose sync has failed is made anew from what a restart would find: what was written since is
    /// marked as written and may not be.
    func rebuildStore(after error: StoreError) {
        if store.suspension == nil {
            report(
                .error,
                "a sync of the store failed (\(error.message)): the store is made anew from its last durable "
                    + "point and the log; until then nothing is read or applied")
        }
        store.suspend(StoreError(error.code, "the store is being made anew after a failed sync"))
        tell(.storeSuspended)
        rebuildRetry = now
        retryRebuilding()
    }

    func onStoreCopied(_ result: Result<StoreCopy, StoreError>) throws {
        guard let copying else { preconditionFailure("a copy of the store that nobody wants") }
        switch result {
        case .failure where copying.isOverthrown: endCopy(nil)
        case .failure(let error): failCopy(error)
        case .success(let copy):
            guard !copying.isOverthrown else {
                keeper.discard(copy)
                return endCopy(nil)
            }
            try advance(copy)
        }
    }

    /// Brings the copy nearer to the store, or puts it in its place. A batch that is on its way makes it wait.
    private func advance(_ copy: StoreCopy) throws {
        let rest = member.replica.chosenEntries(
            after: copy.applied, through: member.applier.applied, bytesLimit: Host.catchUpBytes)
        guard rest.count <= Host.switchEntries, copy.durable >= lastStored else {
            return keeper.catchUp(copy, rest)
        }
        guard !member.isBatchAway else {
            waitingCopy = copy
            return
        }
        do {
            try copy.apply(rest, within: WorkAllowance(units: Host.unitsHere))
        } catch is WorkAllowance.Spent {
            return keeper.catchUp(
                copy,
                member.replica.chosenEntries(
                    after: copy.applied, through: member.applier.applied, bytesLimit: Host.catchUpBytes))
        } catch let error as StoreError {
            keeper.discard(copy)
            return failCopy(error)
        }
        precondition(copy.applied == member.applier.applied, "the copy is not the store's equal")
        precondition(copy.revision == member.applier.ledger.revision, "the copy has another revision")
        store.replace(by: copy.store)
        copying!.isSwitched = true
        keeper.place(copy)
        tell(.storeMadeAnew)
    }

    /// Another store has come in the place of the one that is copied.
    func overthrowCopy() {
        rebuildRetry = nil
        guard copying != nil else { return }
        copying!.isOverthrown = true
        guard let copy = waitingCopy else { return }
        waitingCopy = nil
        keeper.discard(copy)
        endCopy(nil)
    }

    func resumeCopy() throws {
        guard let copy = waitingCopy else { return }
        waitingCopy = nil
        try onStoreCopied(.success(copy))
    }

    func onStorePlaced(_ copy: StoreCopy, _ result: Result<Void, StoreError>) {
        switch result {
        case .success:
            let took = now.since(copying?.begun ?? now)
            let isWanted = copying?.waiters.isEmpty == false || copying?.source == .point
            report(
                isWanted ? .info : .debug,
                "the store was made anew in \(took, as: "took") and takes \(copy.store.size.total, as: "bytes") bytes"
            )
            if copying?.waiters.isEmpty == false { instruments.defragment.record(took) }
            endCopy(nil)
            onStored(copy.durable)
            if let arrival = waitingArrival {
                waitingArrival = nil
                inbox.send(.checkpointArrived(arrival))
            }
        case .failure(let error) where error.code == .full:
            // The copy is in use, and goes on being tried to be found by a restart as well.
            onStoreFull(error)
            placeRetry = (copy, now + .seconds(1))
        case .failure(let error): onFailure("the store that was made anew cannot be put in place: \(error)")
        }
    }

    func retryPlacing() {
        guard let (copy, time) = placeRetry, time < now else { return }
        placeRetry = nil
        keeper.place(copy)
    }

    private func failCopy(_ error: StoreError) {
        let source = copying!.source
        endCopy(error)
        guard source == .point else {
            // There is no room for a copy, or the disk fails; the point that is due is taken in the other way.
            tell(.pointBegun)
            return keeper.synchronize(upTo: member.applier.applied)
        }
        if error.code == .full {
            onStoreFull(error)
            rebuildRetry = now + .seconds(1)
        } else {
            onFailure("the store cannot be made anew after a failed sync: \(error)")
        }
    }

    func retryRebuilding() {
        guard let time = rebuildRetry, time <= now, copying == nil else { return }
        rebuildRetry = nil
        beginCopy(.point)
    }

    private func endCopy(_ error: StoreError?) {
        tell(.pointEnded)
        for client in copying?.waiters ?? [] {
            answer(client, error.map { .failure(.internalFailure("\($0)")) } ?? .success(.done))
        }
        copying = nil
    }
}
