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
        switch (Item(item), rule) {
        case (.data(let payload), .fifo(var counts)):
            counts[member] += 1
            rule = .fifo(counts)
            let id = MulticastID(sender: sender, number: counts[member])
            deliveries.append(OrderedMulticast(id: id, payload: payload))
        case (.data(let payload), .sequencer(var order)):
            order.receive(payload, from: sender, into: &deliveries)
            rule = .sequencer(order)
        case (.data(let payload), .agreed(var order)):
            order.receive(payload, from: sender, into: &deliveries)
            rule = .agreed(order)
        case (.stamped(let stamp, let payload), .causal(var order)):
            var causal: [CausalOrder.Delivery] = []
            _ = order.receive(payload, stamp, from: sender, into: &causal)
            rule = .causal(order)
            deliveries += causal.map { OrderedMulticast(id: $0.id, payload: $0.payload) }
        case (.places(let places), .sequencer(var order)):
            guard sender == order.sequencer else { return }
            order.receive(places: places, into: &deliveries)
            rule = .sequencer(order)
        case (.proposals(let proposals), .agreed(var order)):
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
        switch Item(item) {
        case .data(let payload), .stamped(_, let payload): payload.description
        case .places(let places): "next " + places.map(\.description).joined(separator: " ")
        case .proposals(let proposals):
            proposals.map { "\($0.id) at \($0.priority)" }.joined(separator: " ")
        case nil: "?"
        }
    }
}

extension ViewOrder {
    /// What is in an item of a stream.
    private enum Item {
        case data(Payload)
        case stamped(CausalOrder.Stamp, Payload)
        case places([MulticastID])
        case proposals([AgreedOrder.Proposal])

        /// Nil for what no member of such a view writes.
        init?(_ item: Payload) {
            guard let read = item.read({ try Item(&$0) }) else { return nil }
            self = read
        }

        private init(_ reader: inout ByteFormReader) throws {
            guard let tag = Tag(rawValue: try reader.byte()) else { throw ByteFormError.malformed }
            switch tag {
            case .data: self = .data(reader.remainder())
            case .stamped:
                let (stamp, payload) = try CausalMulticast.decode(&reader, number: try reader.word())
                self = .stamped(stamp, payload)
            case .places: self = .places(try reader.list { try $0.id() })
            case .proposals: self = .proposals(try reader.list(Self.proposal))
            }
        }

        private static func proposal(_ reader: inout ByteFormReader) throws -> AgreedOrder.Proposal {
            let id = try reader.id()
            let priority = try reader.word()
            guard (1..<AgreedOrder.priorityLimit) ~= priority else { throw ByteFormError.malformed }
            return AgreedOrder.Proposal(id: id, priority: priority)
        }
    }
}
