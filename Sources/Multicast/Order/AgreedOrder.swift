import Automata

/// Total order by agreed priorities, inside one view (Birman and Joseph, Reliable Communication in the Presence of
/// Failures, TOCS 5(1), 1987, section 4.2: ABCAST, after Skeen).
///
/// ```
///   sender       ── data ────────▶ all
///   each member  ── proposal ────▶ all          the greatest of all proposals is final; everybody delivers by priority
/// ```
///
/// A proposal is greater than every priority that its member has seen. So once all have proposed for a multicast,
/// whatever a member has not proposed for yet will come behind it, and it may be delivered as soon as no other one that
/// is here could still come before. Members tell their proposals to all instead of to the sender alone, who would have
/// to tell the greatest: two steps instead of three, for more messages, and a sender that crashes leaves nothing open.
///
/// It stands on the same streams as `SequencerOrder`. When the view ends, what all have proposed for is delivered by
/// priority and the rest behind it, in an order that all know.
public struct AgreedOrder: Hashable, Sendable {
    public struct Proposal: Hashable, Sendable {
        public let id: MulticastID
        public let priority: UInt64

        public init(id: MulticastID, priority: UInt64) {
            self.id = id
            self.priority = priority
        }
    }

    /// No group comes so far; what says it has is broken, and could make the next priority overflow.
    static let priorityLimit: UInt64 = 1 << 62

    private struct Waiting: Hashable, Sendable {
        let id: MulticastID
        /// Nil where proposals of others came before the multicast itself.
        var payload: Payload?
        /// By member; 0 where it is not known to have proposed.
        var proposals: [UInt64]
        /// What this member proposes, which its stream may not have told yet; 0 before it has the multicast.
        var own: UInt64 = 0

        /// One's own proposal counts once it has been told like that of any other.
        var isFinal: Bool { payload != nil && proposals.allSatisfy { $0 > 0 } }
    }

    public let process: ProcessID
    /// In ascending order.
    public let group: [ProcessID]
    private var received: [UInt64]
    private var waiting: [Waiting] = []
    /// The greatest priority that was seen.
    private var clock: UInt64 = 0
    private var untold: [Proposal] = []

    public init(process: ProcessID, group: [ProcessID]) {
        precondition(group.contains(process), "\(process) is not one of \(group)")
        self.process = process
        self.group = group.sorted()
        received = group.map { _ in 0 }
    }

    public var heldBack: [MulticastID] { waiting.filter { $0.payload != nil }.map(\.id).sorted() }

    /// The next of the sender's stream that carries data.
    public mutating func receive(
        _ payload: Payload, from sender: ProcessID, into deliveries: inout [OrderedMulticast]
    ) {
        guard let member = group.firstIndex(of: sender) else { return }
        received[member] += 1
        let id = MulticastID(sender: sender, number: received[member])
        let place = place(of: id)
        waiting[place].payload = payload
        clock += 1
        waiting[place].own = clock
        untold.append(Proposal(id: id, priority: clock))
        deliver(&deliveries)
    }

    /// What this member tells next; nil where there is nothing to tell.
    public mutating func tell(atMost limit: Int = 64) -> [Proposal]? {
        guard !untold.isEmpty else { return nil }
        let told = Array(untold.prefix(limit))
        untold.removeFirst(told.count)
        return told
    }

    /// The next of a member's stream that carries proposals.
    public mutating func receive(
        proposals: [Proposal], from sender: ProcessID, into deliveries: inout [OrderedMulticast]
    ) {
        guard let member = group.firstIndex(of: sender) else { return }
        for proposal in proposals {
            clock = max(clock, proposal.priority)
            let place = place(of: proposal.id)
            waiting[place].proposals[member] = proposal.priority
        }
        deliver(&deliveries)
    }

    /// The view ends: what is here is delivered, first what all have proposed for.
    public mutating func end(into deliveries: inout [OrderedMulticast]) {
        let final = waiting.filter(\.isFinal).sorted { priority($0) < priority($1) }
        let rest = waiting.filter { !$0.isFinal }.sorted { $0.id < $1.id }
        for multicast in final + rest {
            guard let payload = multicast.payload else { continue }
            deliveries.append(OrderedMulticast(id: multicast.id, payload: payload))
        }
        (waiting, untold) = ([], [])
    }

    /// The greatest proposal; among equal ones that of the last member counts. The final priority is not below.
    private func priority(_ multicast: Waiting) -> (UInt64, Int) {
        var proposals = multicast.proposals
        if let own = group.firstIndex(of: process) { proposals[own] = max(proposals[own], multicast.own) }
        let greatest = proposals.max() ?? 0
        return (greatest, proposals.lastIndex(of: greatest) ?? 0)
    }

    private mutating func place(of id: MulticastID) -> Int {
        if let place = waiting.firstIndex(where: { $0.id == id }) { return place }
        waiting.append(Waiting(id: id, payload: nil, proposals: group.map { _ in 0 }))
        return waiting.count - 1
    }

    private mutating func deliver(_ deliveries: inout [OrderedMulticast]) {
        // What this member has not received itself will be proposed for above everything it has seen.
        while let first = waiting.filter({ $0.payload != nil }).min(by: { priority($0) < priority($1) }),
            first.isFinal, let payload = first.payload
        {
            waiting.removeAll { $0.id == first.id }
            deliveries.append(OrderedMulticast(id: first.id, payload: payload))
        }
    }
}
