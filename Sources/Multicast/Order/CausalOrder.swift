import Automata

/// Causal order over any reliable multicast: what a process knew when it sent is delivered before what it sent
/// (Birman, Schiper and Stephenson, TOCS 9(3), 1991, section 5.1: CBCAST).
///
/// A multicast carries how many of each member's multicasts its sender had delivered. It is delivered when it is the
/// next of its sender, and when what its sender had delivered by then has been delivered here too. Until then it is held
/// back. Only the entries that changed since the sender's previous multicast are carried: a receiver has the others
/// from there, since it takes the multicasts of one sender in order.
public struct CausalOrder: Hashable, Sendable {
    /// What a multicast carries: {member, count} where it changed, in ascending order of members.
    public struct Stamp: Hashable, Sendable {
        public struct Entry: Hashable, Sendable {
            public let member: Int
            public let count: UInt64

            /// `member` is a place in the group in ascending order.
            public init(member: Int, count: UInt64) {
                self.member = member
                self.count = count
            }
        }
        public let number: UInt64
        public let changes: [Entry]

        /// The `number` of the multicast among those of its sender, from 1.
        public init(number: UInt64, changes: [Entry]) {
            self.number = number
            self.changes = changes
        }
    }

    public struct Delivery: Hashable, Sendable {
        public let id: MulticastID
        public let payload: Payload

        public init(id: MulticastID, payload: Payload) {
            self.id = id
            self.payload = payload
        }
    }

    /// Deliberate errors, for the tests that show that the rules are needed.
    package enum Flaw: String, Hashable, Sendable, CaseIterable {
        /// A multicast need not be the next of its sender.
        case skipsOwnEntry = "skips-own-entry"
        /// What the sender had delivered does not matter.
        case ignoresCauses = "ignores-causes"
    }

    private struct Waiting: Hashable, Sendable {
        let sender: Int
        let stamp: Stamp
        let payload: Payload
    }

    /// Members of a group at most: each keeps the last stamp of each.
    public static let largestGroup = 1024

    public let process: ProcessID
    /// In ascending order.
    public let group: [ProcessID]
    private let limit: Int
    private let deliversOwnAtOnce: Bool
    private let flaw: Flaw?
    /// By member: how many of its multicasts were delivered here.
    public private(set) var delivered: [UInt64]
    /// By member, what its last delivered multicast was stamped with.
    private var stamps: [[UInt64]]
    private var sent: UInt64 = 0
    private var lastStamp: [UInt64]
    private var waiting: [Waiting] = []

    /// The group holds the process and has `largestGroup` members at most.
    /// `limit`: how many multicasts may be held back; more are refused, and must be offered again.
    /// `deliversOwnAtOnce`: this process's own multicasts count as delivered when they are stamped; otherwise they
    /// have to be received like those of others.
    public init(
        process: ProcessID, group: [ProcessID], limit: Int = 4096, deliversOwnAtOnce: Bool = true
    ) {
        self.init(
            process: process, group: group, limit: limit, deliversOwnAtOnce: deliversOwnAtOnce, flaw: nil)
    }

    package init(
        process: ProcessID, group: [ProcessID], limit: Int = 4096, deliversOwnAtOnce: Bool = true, flaw: Flaw?
    ) {
        precondition(group.contains(process), "\(process) is not one of \(group)")
        precondition(
            group.count <= Self.largestGroup,
            "a group in causal order has \(Self.largestGroup) members at most, not \(group.count)")
        self.deliversOwnAtOnce = deliversOwnAtOnce
        self.process = process
        self.group = group.sorted()
        self.limit = limit
        self.flaw = flaw
        delivered = group.map { _ in 0 }
        stamps = group.map { _ in group.map { _ in 0 } }
        lastStamp = delivered
    }

    public var heldBack: [MulticastID] {
        waiting.map { MulticastID(sender: group[$0.sender], number: $0.stamp.number) }
    }

    /// What the next multicast of this process carries.
    public mutating func stampNext() -> Stamp {
        sent += 1
        let changes = group.indices.filter { delivered[$0] != lastStamp[$0] && group[$0] != process }.map {
            Stamp.Entry(member: $0, count: delivered[$0])
        }
        lastStamp = delivered
        if deliversOwnAtOnce, let own = group.firstIndex(of: process) { delivered[own] += 1 }
        return Stamp(number: sent, changes: changes)
    }

    /// A multicast has come from the layer below; what may be delivered with that is appended in order.
    /// False when it was refused because too many are held back. One that came before, or
    /// names a member that is none, changes nothing.
    public mutating func receive(
        _ payload: Payload, _ stamp: Stamp, from sender: ProcessID, into deliveries: inout [Delivery]
    ) -> Bool {
        guard let member = group.firstIndex(of: sender), sender != process || !deliversOwnAtOnce else {
            return true
        }
        let isKnown =
            stamp.number <= delivered[member] && flaw == nil
            || waiting.contains { $0.sender == member && $0.stamp.number == stamp.number }
        guard !isKnown else { return true }
        guard stamp.changes.allSatisfy({ group.indices.contains($0.member) }) else { return true }
        let new = Waiting(sender: member, stamp: stamp, payload: payload)
        // What need not wait is never refused: it may be what the others wait for.
        guard waiting.count < limit || isDeliverable(new) else { return false }
        waiting.append(new)
        while let place = waiting.firstIndex(where: isDeliverable) {
            let next = waiting.remove(at: place)
            delivered[next.sender] = max(delivered[next.sender], next.stamp.number)
            for entry in next.stamp.changes { stamps[next.sender][entry.member] = entry.count }
            deliveries.append(
                Delivery(
                    id: MulticastID(sender: group[next.sender], number: next.stamp.number),
                    payload: next.payload))
        }
        return true
    }

    private func isDeliverable(_ waiting: Waiting) -> Bool {
        if flaw != .skipsOwnEntry, waiting.stamp.number != delivered[waiting.sender] + 1 { return false }
        if flaw == .ignoresCauses { return true }
        var causes = stamps[waiting.sender]
        for entry in waiting.stamp.changes {
            causes[entry.member] = entry.count
        }
        return causes.indices.allSatisfy { $0 == waiting.sender || causes[$0] <= delivered[$0] }
    }
}
