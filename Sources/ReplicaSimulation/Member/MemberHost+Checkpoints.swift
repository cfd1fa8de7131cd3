import Automata
import Coordination
import Member
import Paxos
import Replica
import Simulation

// Checkpoints travel whole, lie durable beside the store before the member is told of them, and are given up after a
// while. (How they travel in pieces is what `ReplicaHost` shows.)
extension MemberHost {
    mutating func sendCheckpoint(to process: ProcessID, _ outputs: inout [Output]) {
        guard !keeper.isSuspended else {
            return tell(.checkpointSent(to: process, success: false), &outputs)
        }
        lastNumber &+= 1
        sending.removeAll { $0.to == process }
        sending.append((process, lastNumber))
        pass(.checkpointSent, &outputs)
        outputs.append(.setTimer(.checkpoint(process), after: .seconds(2) ... .seconds(2)))
        do {
            let image = try store.read { try StoreImage.bytes(of: $0) }
            outputs.append(
                .send(.checkpoint(number: lastNumber, image: image), to: process, after: .none))
        } catch { preconditionFailure("\(error)") }
    }

    /// One is taken in at a time. The store that a restart finds stays where it is; a restart finds whichever holds more.
    mutating func onCheckpoint(
        _ number: UInt64, _ image: [UInt8], from: ProcessID, _ outputs: inout [Output]
    ) {
        do {
            let received = try StoreImage.store(from: image)
            let slot = try received.read { Slot(try AppliedState.slot(in: $0)) }
            guard keeper.incoming == nil else {
                return outputs.append(
                    .send(.checkpointEnded(number: number, isInstalled: false), to: from, after: .none))
            }
            let arrival = SimulatedKeeper.Arrival(
                id: keeper.arrivalID(), image: received, slot: slot, number: number, from: from)
            // What is refused anyway must not lie where something newer may have lain.
            guard slot > member!.applier.applied else { return onArrival(arrival, &outputs) }
            stores += 1
            outputs.append(.store(image, cell: Self.cell(of: arrival.id)))
            keeper.incoming = (stores, arrival)
        } catch { preconditionFailure("\(settings.replica.process) cannot read a checkpoint: \(error)") }
    }

    /// One that waits, one that is installed and one that comes in lie beside each other.
    private static func cell(of id: CheckpointID) -> UInt64 { 1 + id.rawValue % 3 }

    static func storeAtRestart(_ disk: SimulatedDisk) throws -> MemoryStore? {
        let found = try storeCells.compactMap { try disk.cell($0).map(StoreImage.store(from:)) }
        return try found.max {
            try $0.read { try AppliedState.slot(in: $0) } < $1.read { try AppliedState.slot(in: $0) }
        }
    }

    mutating func onCheckpointWritten(_ outputs: inout [Output]) {
        guard let arrival = keeper.incoming?.arrival else { return }
        keeper.incoming = nil
        onArrival(arrival, &outputs)
    }

    private mutating func onArrival(_ arrival: SimulatedKeeper.Arrival, _ outputs: inout [Output]) {
        keeper.arrivals.append(arrival)
        if away != nil || keeper.copy != nil { pass(.checkpointMetCopy, &outputs) }
        tell(.checkpointArrived(arrival.id, upTo: arrival.slot), &outputs)
    }

    private mutating func takeArrival(_ id: CheckpointID) -> SimulatedKeeper.Arrival {
        guard let place = keeper.arrivals.firstIndex(where: { $0.id == id }) else {
            preconditionFailure("no checkpoint has arrived as \(id)")
        }
        return keeper.arrivals.remove(at: place)
    }

    private func end(_ arrival: SimulatedKeeper.Arrival, _ isInstalled: Bool, _ outputs: inout [Output]) {
        outputs.append(
            .send(
                .checkpointEnded(number: arrival.number, isInstalled: isInstalled), to: arrival.from,
                after: .none))
    }

    mutating func refuseCheckpoint(_ id: CheckpointID, _ outputs: inout [Output]) {
        pass(.checkpointRefused, &outputs)
        end(takeArrival(id), false, &outputs)
    }

    mutating func installCheckpoint(_ id: CheckpointID, _ outputs: inout [Output]) {
        let arrival = takeArrival(id)
        do {
            let applied = try arrival.image.read { try AppliedState(from: $0) }
            let configuration =
                try applied.configuration.isEmpty
                ? settings.first : ConfigurationCodec.decode(applied.configuration)
            use(arrival.image)
            keeper.use(point: try arrival.image.read { try StoreImage.bytes(of: $0) }, upTo: arrival.slot)
            outputs.append(.report(.installed(upTo: arrival.slot, digest)))
            pass(.checkpointInstalled, &outputs)
            try store.read {
                try member!.install(configuration, from: $0, at: now, into: &self.outputs)
            }
            carryOutAll(&outputs)
            watchers!.storeReplaced(revision: member!.applier.ledger.revision)
        } catch { preconditionFailure("\(error)") }
        end(arrival, true, &outputs)
    }
}
