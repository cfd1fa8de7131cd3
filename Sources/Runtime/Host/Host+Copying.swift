import Automata
import Coordination
import Member
import Paxos
import Replica

// What the member wants of a store that is made anew: the store thread copies and puts in place, and between two turns
// this thread switches.
extension Host {
    func renew(_ output: MemberOutput) {
        switch output {
        case .copyStore(let source): keeper.copy(source)
        case .catchUpCopy(let entries): keeper.catchUp(copyInHand, entries)
        case .switchStore(let rest): switchStore(rest)
        case .placeCopy: keeper.place(copyInHand)
        case .discardCopy:
            keeper.discard(copyInHand)
            copy = nil
        case .suspendStore:
            store.suspend(StoreError(.full, "the store is being made anew after a failed sync"))
        default: preconditionFailure("not of the store: \(output)")
        }
    }

    func onStoreCopied(_ result: Result<StoreCopy, StoreError>) {
        switch result {
        case .success(let made):
            copy = made
            tell(.storeCopied(made.standing))
        case .failure(let error): onCopyFailed(error)
        }
    }

    private func onCopyFailed(_ error: StoreError) {
        copy = nil
        noteLackOfRoom(error)
        tell(.copyFailed(error))
    }

    /// The copy that the member was last told of.
    private var copyInHand: StoreCopy {
        guard let copy else { preconditionFailure("the member goes on with a copy that is not there") }
        return copy
    }

    private func switchStore(_ rest: [Entry]) {
        let copy = copyInHand
        do {
            try copy.apply(rest, within: WorkAllowance(units: Host.unitsHere))
        } catch is WorkAllowance.Spent {
            return tell(.switchPutOff(copy.standing))
        } catch {
            keeper.discard(copy)
            return onCopyFailed(error as? StoreError ?? StoreError(.failed, "\(error)"))
        }
        store.replace(by: copy.store)
        tell(.storeSwitched(copy.standing))
    }

    func onStorePlaced(_ result: Result<Void, StoreError>) {
        switch result {
        case .success:
            copy = nil
            tell(.copyPlaced)
        case .failure(let error):
            noteLackOfRoom(error)
            tell(.copyNotPlaced(error))
        }
    }

    /// An operator reads of it later, where it keeps somebody waiting.
    func noteLackOfRoom(_ error: StoreError) {
        if error.code == .full { lackOfRoom = error.message }
    }

    func fail(_ failure: MemberFailure) {
        switch failure {
        case .point(let error):
            onFailure(
                "the store cannot be made durable: \(error). Nothing acknowledged is lost: after a restart the "
                    + "store is as it was at its last durable point, and the log brings it up to date. Look at "
                    + "the disk first")
        case .rebuild(let error): onFailure("the store cannot be made anew after a failed sync: \(error)")
        case .place(let error):
            onFailure("the store that was made anew cannot be put in place: \(error)")
        }
    }
}
