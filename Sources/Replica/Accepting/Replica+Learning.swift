import Automata
import Paxos

/// The learner: what is chosen goes up, in order, once.
extension Replica {
    /// Everything up to `slot` is chosen, and the acceptor holds exactly the chosen entries there.
    mutating func learn(upTo slot: Slot, _ outputs: inout [ReplicaOutput]) {
        guard slot > chosenUpTo else { return }
        precondition(slot <= acceptor.accepted.last, "\(slot) is chosen and not here")
        let before = configuration.epoch
        let entries = acceptor.accepted.entries(from: chosenUpTo.next, through: slot, bytesLimit: .max)
        leadership?.bytesInFlight -= acceptor.accepted.sizeHint(after: chosenUpTo, through: slot)
        var current = chosenUpTo
        var noted: ProcessID?
        for entry in entries {
            current = current.next
            switch entry {
            case .noop: break
            case .payload(let id, _):
                if id.process == me {
                    _ = outstanding.settle(id.number)
                } else if leadership != nil, id.process != noted {
                    noted = id.process
                    leadership!.noteChosen(of: id.process)
                }
            case .configuration(let id, let next):
                if id.process == me { _ = outstanding.settle(id.number) }
                if next.epoch > configuration.epoch {
                    configuration = next
                    configurationSlot = current
                }
            }
        }
        chosenUpTo = slot
        if acceptedUpTo < slot { extendAccepted() }
        deliver(entries, &outputs)
        if configuration.epoch != before { outputs.append(.configurationChanged(configuration)) }
    }

    /// What is chosen counts as accepted at any ballot, so that what follows it at the promised one does too.
    mutating func extendAccepted() {
        acceptedUpTo = acceptor.accepted.end(of: acceptor.promised, after: max(chosenUpTo, acceptedUpTo))
    }

    /// Hands up what is chosen, of which `learnt` is the end, but for an entry at the end that changes the
    /// configuration: that one waits until the new configuration has proved that it works by choosing something.
    private mutating func deliver(_ learnt: [Entry], _ outputs: inout [ReplicaOutput]) {
        var end = chosenUpTo
        if end > deliveredUpTo, learnt.last!.isConfiguration { end = Slot(end.rawValue - 1) }
        guard end > deliveredUpTo else { return }
        let first = deliveredUpTo.next
        let isAllOfIt = end.rawValue - deliveredUpTo.rawValue == UInt64(learnt.count) && end == chosenUpTo
        let entries =
            isAllOfIt ? learnt : acceptor.accepted.entries(from: first, through: end, bytesLimit: .max)
        outputs.append(.apply(first: first, entries))
        deliveredUpTo = end
    }
}
