import Automata
import Coordination
import Member
import Paxos
import Replica
import Simulation

// Checkpoints travel whole, are durable before they are used, and are given up after a while. (How they travel in pieces
// is what `ReplicaHost` shows.)
extension MemberHost {
    mutating func sendCheckpoint(to process: ProcessID, _ outputs: inout [Output]) {
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

    /// A checkpoint is durable before it is used, and nothing older may replace it meanwhile.
    mutating func onCheckpoint(
        _ number: UInt64, _ image: [UInt8], from: ProcessID, _ outputs: inout [Output]
    ) {
        do {
            let received = try StoreImage.store(from: image)
            let slot = try received.read { Slot(try AppliedState.slot(in: $0)) }
            guard slot > member!.applier.applied, installing == nil, storing == nil, away == nil else {
                let isOld = slot <= member!.applier.applied
                return outputs.append(
                    .send(.checkpointEnded(number: number, isInstalled: isOld), to: from, after: .none))
            }
            save(received, &outputs)
            installing = (stores, received, number, from)
        } catch { preconditionFailure("\(settings.replica.process) cannot read a checkpoint: \(error)") }
    }

    mutating func install(
        _ image: MemoryStore, _ number: UInt64, _ from: ProcessID, _ outputs: inout [Output]
    ) {
        do {
            let applied = try image.read { try AppliedState(from: $0) }
            if Slot(applied.slot) > member!.applier.applied, away == nil {
                image.capacity = store.capacity
                store = image
                let configuration =
                    try applied.configuration.isEmpty
                    ? settings.first : ConfigurationCodec.decode(applied.configuration)
                outputs.append(.report(.installed(upTo: Slot(applied.slot), digest)))
                pass(.checkpointInstalled, &outputs)
                try store.read {
                    try member!.install(configuration, from: $0, at: now, into: &self.outputs)
                }
                carryOutAll(&outputs)
                watchers!.storeReplaced(revision: member!.applier.ledger.revision)
            } else {
                tell(.checkpointFailed(settings.replica.process), &outputs)
            }
        } catch { preconditionFailure("\(error)") }
        outputs.append(.send(.checkpointEnded(number: number, isInstalled: true), to: from, after: .none))
    }
}
