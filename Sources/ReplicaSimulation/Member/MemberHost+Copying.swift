import Automata
import Coordination
import Member
import Paxos
import Replica
import Simulation

// Durable points and the store made anew: what the store thread does, as far as the member wants it.
extension MemberHost {
    private static let noRoom = StoreError(.full, "the disk has no room")

    mutating func renew(_ want: MemberOutput, _ outputs: inout [Output]) {
        switch want {
        case .makeDurable(let slot): keeper.give(.synchronize(slot))
        case .copyStore(let source): keeper.give(.copy(source))
        case .catchUpCopy(let entries): keeper.give(.catchUp(entries))
        case .placeCopy: keeper.give(.place)
        case .switchStore(let rest): switchStore(rest, &outputs)
        case .discardCopy:
            pass(.copyDiscarded, &outputs)
            keeper.copy = nil
        case .suspendStore: keeper.isSuspended = true
        default: preconditionFailure("not of the store: \(want)")
        }
        beginJob(&outputs)
    }

    private mutating func beginJob(_ outputs: inout [Output]) {
        if keeper.begin() { outputs.append(.setTimer(.keeper, after: .zero...keeper.plan.delay)) }
    }

    mutating func onKeeper(_ outputs: inout [Output]) {
        switch keeper.job {
        case nil: preconditionFailure("the store thread has nothing to do")
        case .synchronize(let slot): synchronize(slot, &outputs)
        case .copy(let source):
            do {
                // Of a store that is damaged nothing can be seen that was written of late.
                let latest = keeper.isDamaged ? MemoryStore() : store
                let image = try source == .point ? keeper.point : latest.read { try StoreImage.bytes(of: $0) }
                keeper.copy = try SimulatedKeeper.Copy(image)
            } catch { preconditionFailure("\(error)") }
            endCopying(&outputs)
        case .catchUp(let entries):
            do {
                try keeper.copy!.apply(entries)
                try keeper.copy!.synchronize()
            } catch { preconditionFailure("\(error)") }
            pass(.copyCaughtUp, &outputs)
            endCopying(&outputs)
        case .place:
            guard !keeper.fails(keeper.plan.failingCopies) else {
                keeper.end()
                pass(.copyNotPlaced, &outputs)
                return tellAndBegin(.copyNotPlaced(Self.noRoom), &outputs)
            }
            write(keeper.copy!.image, upTo: keeper.copy!.durable, &outputs)
        }
    }

    private mutating func tellAndBegin(_ input: MemberInput, _ outputs: inout [Output]) {
        tell(input, &outputs)
        beginJob(&outputs)
    }

    private mutating func endCopying(_ outputs: inout [Output]) {
        keeper.end()
        guard !keeper.fails(keeper.plan.failingCopies) else {
            keeper.copy = nil
            pass(.copyFailed, &outputs)
            return tellAndBegin(.copyFailed(Self.noRoom), &outputs)
        }
        if away != nil { pass(.copiedWhileAway, &outputs) }
        tellAndBegin(.storeCopied(keeper.copy!.standing), &outputs)
    }

    // MARK: durable points

    private mutating func synchronize(_ slot: Slot, _ outputs: inout [Output]) {
        if keeper.fails(keeper.plan.pointsWithoutRoom) {
            keeper.end()
            pass(.pointWithoutRoom, &outputs)
            return tellAndBegin(.pointFailed(Self.noRoom, isSyncFailed: false), &outputs)
        }
        if keeper.fails(keeper.plan.failingSyncs) {
            keeper.end()
            keeper.isDamaged = true
            pass(.syncFailed, &outputs)
            return tellAndBegin(.pointFailed(Self.noRoom, isSyncFailed: true), &outputs)
        }
        do { write(try store.read { try StoreImage.bytes(of: $0) }, upTo: slot, &outputs) } catch {
            preconditionFailure("\(error)")
        }
    }

    private mutating func write(_ image: [UInt8], upTo slot: Slot, _ outputs: inout [Output]) {
        stores += 1
        keeper.writing = (stores, image, slot)
        outputs.append(.store(image, cell: Self.storeCell))
    }

    mutating func onWritten(_ outputs: inout [Output]) {
        guard let (_, image, slot) = keeper.writing, let job = keeper.job else { return }
        keeper.writing = nil
        keeper.use(point: image, upTo: slot)
        keeper.end()
        guard case .place = job else { return tellAndBegin(.stored(upTo: slot), &outputs) }
        keeper.copy = nil
        tellAndBegin(.copyPlaced, &outputs)
    }

    // MARK: the switch

    private mutating func switchStore(_ rest: [Entry], _ outputs: inout [Output]) {
        do {
            guard rest.isEmpty || !keeper.isLongSwitch() else {
                try keeper.copy!.apply(Array(rest.prefix(rest.count / 2)))
                pass(.switchPutOff, &outputs)
                return tell(.switchPutOff(keeper.copy!.standing), &outputs)
            }
            try keeper.copy!.apply(rest)
        } catch { preconditionFailure("\(error)") }
        use(keeper.copy!.store)
        pass(.storeMadeAnew, &outputs)
        outputs.append(.report(.installed(upTo: keeper.copy!.standing.applied, digest)))
        tell(.storeSwitched(keeper.copy!.standing), &outputs)
    }

    /// Another store is the one in use.
    mutating func use(_ other: MemoryStore) {
        other.capacity = store.capacity
        store = other
        keeper.isDamaged = false
        keeper.isSuspended = false
    }
}
