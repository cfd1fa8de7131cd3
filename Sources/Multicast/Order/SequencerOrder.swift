import Automata

/// Total order by a sequencer, inside one view: the first member tells all in which order to deliver (Défago, Schiper
/// and Urbán, Total Order Broadcast and Multicast Algorithms, ACM Computing Surveys 36(4), 2004, section 4.1: the
/// variant in which sender and sequencer both multicast).
///
/// ```
///   sender     ── data ──────────▶ all
///   sequencer  ── places(data) ──▶ all          everybody delivers by place
/// ```
///
/// It stands on streams that every member receives in the order of each sender, the same ones at all members that go
/// on together when the view ends (`ReliableMulticast` and a flush). So a sequencer that fails takes nothing with it:
/// what it gave places to keeps them, what it did not is put behind in an order that all know, and the first member of
/// the next view begins afresh. With uniform streams the order is that of every process, also of those that crashed.
public struct SequencerOrder: Hashable, Sendable {
    /// Deliberate errors, for the tests that show that the rules are needed.
    package enum Flaw: Hashable, Sendable {
        /// Whoever takes over from a sequencer gives places to all that it knows, also to what had one.
        case ordersAgain
    }

    public let process: ProcessID
    /// In ascending order.
    public let group: [ProcessID]
    public let sequencer: ProcessID
    private let flaw: Flaw?
    /// By member: how many multicasts were received.
    private var received: [UInt64]
    /// Received and not delivered, in the order of receipt.
    private var waiting: [OrderedMulticast] = []
    /// What has a place and was not delivered, in order.
    private var places: [MulticastID] = []
    /// Delivered in this view, which only a flawed order looks at.
    private var delivered: [OrderedMulticast] = []
    /// Places that the sequencer has given and not told.
    private var untold: [MulticastID] = []

    /// `group`: the first is the sequencer.
    public init(process: ProcessID, group: [ProcessID]) {
        self.init(process: process, group: group, flaw: nil)
    }

    package init(process: ProcessID, group: [ProcessID], flaw: Flaw?) {
        precondition(group.contains(process), "\(process) is not one of \(group)")
        self.process = process
        sequencer = group[0]
        self.group = group.sorted()
        self.flaw = flaw
        received = group.map { _ in 0 }
    }

    public var heldBack: [MulticastID] { waiting.map(\.id) }

    /// The next of the sender's stream that carries data.
    public mutating func receive(
        _ payload: Payload, from sender: ProcessID, into deliveries: inout [OrderedMulticast]
    ) {
        guard let member = group.firstIndex(of: sender) else { return }
        received[member] += 1
        let id = MulticastID(sender: sender, number: received[member])
        waiting.append(OrderedMulticast(id: id, payload: payload))
        if process == sequencer { untold.append(id) }
        deliver(&deliveries)
    }

    /// What the sequencer tells next; nil where there is nothing to tell.
    public mutating func tell(atMost limit: Int = 64) -> [MulticastID]? {
        guard !untold.isEmpty else { return nil }
        let told = Array(untold.prefix(limit))
        untold.removeFirst(told.count)
        return told
    }

    /// The next of the sequencer's stream that carries places.
    public mutating func receive(places new: [MulticastID], into deliveries: inout [OrderedMulticast]) {
        places += new
        deliver(&deliveries)
    }

    /// The view ends: what is here is delivered, first what has a place. A place whose multicast is not here is of one
    /// that nobody has who goes on.
    public mutating func end(into deliveries: inout [OrderedMulticast]) {
        if flaw == .ordersAgain { waiting += delivered }
        for id in places {
            guard let place = waiting.firstIndex(where: { $0.id == id }) else { continue }
            deliveries.append(waiting.remove(at: place))
        }
        deliveries += waiting.sorted { $0.id < $1.id }
        (waiting, places, untold) = ([], [], [])
    }

    private mutating func deliver(_ deliveries: inout [OrderedMulticast]) {
        while let next = places.first, let place = waiting.firstIndex(where: { $0.id == next }) {
            places.removeFirst()
            let multicast = waiting.remove(at: place)
            if flaw != nil { delivered.append(multicast) }
            deliveries.append(multicast)
        }
    }
}

/// A multicast that an order hands up. Its number counts what its sender multicast in this view.
public struct OrderedMulticast: Hashable, Sendable {
    public let id: MulticastID
    public let payload: Payload

    public init(id: MulticastID, payload: Payload) {
        self.id = id
        self.payload = payload
    }
}
