import Automata

/// What a member has of a group's multicasts, when the group comes to an end (a view is followed by the next).
public struct Holdings: Hashable, Sendable {
    public struct Held: Hashable, Sendable {
        public let id: MulticastID
        public let payload: Payload

        public init(id: MulticastID, payload: Payload) {
            self.id = id
            self.payload = payload
        }
    }

    /// By member, in the order of the group: up to which number all its multicasts are here.
    public let counts: [UInt64]
    /// Those among them which some member may lack, in ascending order of identifiers. At most a window for each
    /// sender.
    public let held: [Held]

    public init(counts: [UInt64], held: [Held]) {
        self.counts = counts
        self.held = held
    }
}

extension ReliableMulticast {
    public var holdings: Holdings {
        var held: [Holdings.Held] = []
        for (member, stream) in streams.enumerated() {
            for (place, payload) in stream.held.enumerated() {
                let id = MulticastID(sender: group[member], number: stream.stable + UInt64(place) + 1)
                if let payload, id.number <= stream.complete { held.append(.init(id: id, payload: payload)) }
            }
        }
        return Holdings(counts: streams.map(\.complete), held: held)
    }

    /// The group ends. What all who go on together have had, taken together, is delivered here as far as it was not
    /// yet; nothing is received any more. `all` must hold what this member lacks.
    public mutating func close(with all: Holdings, into outputs: inout [Output]) {
        for (member, sender) in group.enumerated() where all.counts.indices.contains(member) {
            let lacking = all.held.filter { $0.id.sender == sender }
            while streams[member].delivered < all.counts[member] {
                let next = MulticastID(sender: sender, number: streams[member].delivered + 1)
                let here = Int(next.number - streams[member].stable) - 1
                let own = streams[member].held.indices.contains(here) ? streams[member].held[here] : nil
                guard let payload = own ?? lacking.first(where: { $0.id == next })?.payload else { break }
                streams[member].delivered += 1
                outputs.append(.deliver(next, payload))
            }
        }
    }
}
