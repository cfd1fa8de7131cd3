import Automata

/// In which order the members of a group deliver.
public enum MulticastOrder: String, Hashable, Sendable, CaseIterable {
    /// The multicasts of each sender in the order in which it sent them.
    case fifo
    /// And nothing before what its sender had delivered when it sent it.
    case causal
    /// All multicasts in one order, which a sequencer gives.
    case sequencer
    /// All multicasts in one order, on which the members agree.
    case agreed
}

/// An order inside one view, over streams that every member receives in the order of each sender.
///
/// The user's multicasts and what the order has to say itself go over the same streams: what `wrap` and `next` return
/// is multicast, and everything that comes from a stream, one's own among it, is given to `receive`.
///
/// The total orders keep the order of each sender as well. Over uniform streams they are causal too: what a sender had
/// delivered had its place before it sent.
public struct ViewOrder: Hashable, Sendable {
    private enum Rule: Hashable, Sendable {
        case fifo([UInt64])
        case causal(CausalOrder)
        case sequencer(SequencerOrder)
        case agreed(AgreedOrder)
    }

    private enum Tag: UInt8 {
        case data, stamped, places, proposals
    }

    public let group: [ProcessID]
    private var rule: Rule

    /// `group`: the first is the sequencer, where there is one.
    public init(_ order: MulticastOrder, process: ProcessID, group: [ProcessID]) {
        self.init(order, process: process, group: group, flaw: nil)
    }

    package init(
        _ order: MulticastOrder, process: ProcessID, group: [ProcessID], flaw: SequencerOrder.Flaw?
    ) {
        self.group = group.sorted()
        rule =
            switch order {
            case .fifo: .fifo(group.map { _ in 0 })
            case .causal:
                .causal(CausalOrder(process: process, group: group, limit: .max, deliversOwnAtOnce: false))
            case .sequencer: .sequencer(SequencerOrder(process: process, group: group, flaw: flaw))
            case .agreed: .agreed(AgreedOrder(process: process, group: group))
            }
    }

    /// What is here and waits for its turn.
    public var heldBack: [MulticastID] {
        switch rule {
        case .fifo: []
        case .causal(let order): order.heldBack
        case .sequencer(let order): order.heldBack
        case .agreed(let order): order.heldBack
        }
    }

    /// What to multicast for a payload of the user.
    public mutating func wrap(_ payload: Payload) -> Payload {
        var form = ByteForm()
        if case .causal(var order) = rule {
            let stamp = order.stampNext()
            rule = .causal(order)
            form.append(Tag.stamped.rawValue)
            form.append(stamp.number)
            return Payload(form.bytes + CausalMulticast.encode(stamp, payload).bytes)
        }
        form.append(Tag.data.rawValue)
        return Payload(form.bytes + payload.bytes)
    }

    /// What the order itself has to say next; nil where that is nothing.
    public mutating func next() -> Payload? {
        var form = ByteForm()
        switch rule {
        case .fifo, .causal: return nil
        case .sequencer(var order):
            guard let places = order.tell() else { return nil }
            rule = .sequencer(order)
            form.append(Tag.places.rawValue)
            form.append(places) { $0.append($1) }
        case .agreed(var order):
            guard let proposals = order.tell() else { return nil }
            rule = .agreed(order)
            form.append(Tag.proposals.rawValue)
            form.append(proposals) {
                $0.append($1.id)
                $0.append($1.priority)
            }
        }
        return Payload(form.bytes)
    }

    /// The next of a member's stream; what may be delivered with it is appended in order. What is no part of such a
    /// stream changes nothing.
    public mutating func receive(
        _ item: Payload, from sender: ProcessID, into deliveries: inout [OrderedMulticast]
    ) {
        guard let member = group.firstIndex(of: sender) else { return }
        var reader = ByteFormReader(item.bytes)
        switch (reader.byte().flatMap(Tag.init), rule) {
        case (.data, .fifo(var counts)):
            counts[member] += 1
            rule = .fifo(counts)
            let id = MulticastID(sender: sender, number: counts[member])
            deliveries.append(OrderedMulticast(id: id, payload: reader.remaining))
        case (.data, .sequencer(var order)):
            order.receive(reader.remaining, from: sender, into: &deliveries)
            rule = .sequencer(order)
        case (.data, .agreed(var order)):
            order.receive(reader.remaining, from: sender, into: &deliveries)
            rule = .agreed(order)
        case (.stamped, .causal(var order)):
            guard let number = reader.word(),
                let (stamp, payload) = CausalMulticast.decode(reader.remaining, number: number)
            else { return }
            var causal: [CausalOrder.Delivery] = []
            _ = order.receive(payload, stamp, from: sender, into: &causal)
            rule = .causal(order)
            deliveries += causal.map { OrderedMulticast(id: $0.id, payload: $0.payload) }
        case (.places, .sequencer(var order)):
            guard sender == order.sequencer, let places = reader.list({ $0.id() }) else { return }
            order.receive(places: places, into: &deliveries)
            rule = .sequencer(order)
        case (.proposals, .agreed(var order)):
            guard let proposals = reader.list(Self.proposal) else { return }
            order.receive(proposals: proposals, from: sender, into: &deliveries)
            rule = .agreed(order)
        default: break
        }
    }

    /// The view ends, with the same streams at all who go on together. What waits for something that nobody has who
    /// goes on is not delivered.
    public mutating func end(into deliveries: inout [OrderedMulticast]) {
        switch rule {
        case .fifo, .causal: break
        case .sequencer(var order):
            order.end(into: &deliveries)
            rule = .sequencer(order)
        case .agreed(var order):
            order.end(into: &deliveries)
            rule = .agreed(order)
        }
    }

    /// What an item of a stream is, for people: the text of the user's payload, or the order's own words.
    public static func describe(_ item: Payload) -> String {
        var reader = ByteFormReader(item.bytes)
        switch reader.byte().flatMap(Tag.init) {
        case .data: return reader.remaining.description
        case .stamped:
            let stamped = reader.word().flatMap { CausalMulticast.decode(reader.remaining, number: $0) }
            return stamped?.1.description ?? "?"
        case .places:
            let places = reader.list { $0.id() } ?? []
            return "next " + places.map(\.description).joined(separator: " ")
        case .proposals:
            let proposals = reader.list(Self.proposal) ?? []
            return proposals.map { "\($0.id) at \($0.priority)" }.joined(separator: " ")
        case nil: return "?"
        }
    }

    private static func proposal(_ reader: inout ByteFormReader) -> AgreedOrder.Proposal? {
        guard let id = reader.id(), let priority = reader.word(), (1..<AgreedOrder.priorityLimit) ~= priority
        else { return nil }
        return AgreedOrder.Proposal(id: id, priority: priority)
    }
}
