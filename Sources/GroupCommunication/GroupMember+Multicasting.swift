import Automata
import Multicast

// MARK: Within the view

extension GroupMember {
    /// Returns the stage that follows, where it is another.
    mutating func step(
        _ membership: inout Membership, _ input: Input, at now: Instant, _ outputs: inout [Output]
    ) -> Stage? {
        let number = membership.view.number
        switch input {
        case .start:
            outputs.append(.install(membership.view))
            outputs.append(.setTimer(after: settings.interval))
        case .multicast(let payload): multicast(payload, &membership, &outputs)
        case .received(.multicast(number, let message), let sender):
            if !membership.isWedged { transport(.received(message, from: sender), &membership, &outputs) }
        case .timerFired: return onTimer(&membership, &outputs)
        case .suspected(let other):
            if membership.view.contains(other), !membership.suspects.contains(other) {
                membership.suspects = (membership.suspects + [other]).sorted()
            }
            return changeIfNeeded(&membership, &outputs)
        case .trusted(let other):
            membership.suspects.removeAll { $0 == other }
            return changeIfNeeded(&membership, &outputs)
        case .leave:
            isLeaving = true
            return onLeave(process, &membership, &outputs)
        case .received(let message, let sender):
            return received(message, from: sender, &membership, &outputs)
        }
        return nil
    }

    private mutating func multicast(
        _ payload: Payload, _ membership: inout Membership, _ outputs: inout [Output]
    ) {
        let hasRoom =
            !membership.isWedged && !isLeaving && membership.underWay < settings.window
            && membership.transport.hasRoom
        guard hasRoom else {
            hasRefused = true
            return outputs.append(.refuse(payload))
        }
        membership.underWay += 1
        let item = membership.order.wrap(payload)
        transport(.multicast(item), &membership, &outputs)
    }

    /// Gives the layer below an input and passes up and down what follows.
    mutating func transport(
        _ input: ReliableMulticast.Input, _ membership: inout Membership, _ outputs: inout [Output]
    ) {
        var below: [ReliableMulticast.Output] = []
        membership.transport.step(input, at: .zero, into: &below)
        var next = 0
        while next < below.count || say(&membership, &below) {
            guard next < below.count else { continue }
            let output = below[next]
            next += 1
            switch output {
            case .send(let message, let receiver):
                outputs.append(.send(.multicast(membership.view.number, message), to: receiver))
            case .deliver(let id, let item):
                var deliveries: [OrderedMulticast] = []
                membership.order.receive(item, from: id.sender, into: &deliveries)
                hand(up: deliveries, &membership, &outputs)
                // Where the transport waits for its user a multicast's number is the order's as well.
                for delivery in deliveries { membership.transport.consume(delivery.id, into: &below) }
            case .ready, .setTimer, .refuse: break
            }
        }
        if hasRefused, membership.underWay < settings.window, membership.transport.hasRoom,
            !membership.isWedged
        {
            hasRefused = false
            outputs.append(.ready)
        }
    }

    /// Multicasts what the order has to say. False when it has nothing to say, or no room for it.
    private func say(_ membership: inout Membership, _ below: inout [ReliableMulticast.Output]) -> Bool {
        guard !membership.isWedged, membership.transport.hasRoom, let words = membership.order.next() else {
            return false
        }
        membership.transport.step(.multicast(words), at: .zero, into: &below)
        return true
    }

    func hand(up deliveries: [OrderedMulticast], _ membership: inout Membership, _ outputs: inout [Output]) {
        for delivery in deliveries {
            if delivery.id.sender == process { membership.underWay -= 1 }
            outputs.append(.deliver(delivery.id, delivery.payload))
        }
    }
}
