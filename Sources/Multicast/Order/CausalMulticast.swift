import Automata

/// Reliable multicast in causal order: `CausalOrder` on top of `ReliableMulticast`, which carries the stamps in front
/// of the payloads.
public struct CausalMulticast: MulticastMember {
    public typealias Message = MulticastMessage
    public typealias Input = ReliableMulticast.Input
    public typealias Output = ReliableMulticast.Output

    private var transport: ReliableMulticast
    private var order: CausalOrder

    /// The group holds the process and has `CausalOrder.largestGroup` members at most.
    /// `window`: multicasts of one sender that may be under way or held back.
    public init(
        process: ProcessID, group: [ProcessID], window: Int = 64,
        digestInterval: ClosedRange<TimeSpan> = .milliseconds(20) ... .milliseconds(40)
    ) {
        transport = ReliableMulticast(
            process: process, group: group, window: window, waitsForUser: true, digestInterval: digestInterval
        )
        order = CausalOrder(process: process, group: group, limit: window * group.count)
    }

    public var process: ProcessID { transport.process }

    /// What is here and waits for its causes.
    public var heldBack: [MulticastID] { order.heldBack }
    public var heldCount: Int { transport.heldCount + order.heldBack.count }

    public mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        var below: [Output] = []
        guard case .multicast(let payload) = input else {
            transport.step(input, at: now, into: &below)
            return passUp(below, &outputs)
        }
        var stamped = order
        let stamp = stamped.stampNext()
        transport.step(.multicast(Self.encode(stamp, payload)), at: now, into: &below)
        if below.contains(where: { if case .refuse = $0 { true } else { false } }) {
            return outputs.append(.refuse(payload))
        }
        order = stamped
        let id = MulticastID(sender: transport.process, number: stamp.number)
        outputs.append(.deliver(id, payload))
        passUp(below, &outputs)
        consume(id, &outputs)
    }

    private mutating func passUp(_ below: [Output], _ outputs: inout [Output]) {
        for output in below {
            guard case .deliver(let id, let bytes) = output else {
                outputs.append(output)
                continue
            }
            guard id.sender != transport.process, let (stamp, payload) = Self.decode(bytes, number: id.number)
            else {
                continue
            }
            var deliveries: [CausalOrder.Delivery] = []
            let isTaken = order.receive(payload, stamp, from: id.sender, into: &deliveries)
            precondition(isTaken, "\(order.heldBack.count) are held back, more than all windows together")
            for delivery in deliveries {
                outputs.append(.deliver(delivery.id, delivery.payload))
                consume(delivery.id, &outputs)
            }
        }
    }

    private mutating func consume(_ id: MulticastID, _ outputs: inout [Output]) {
        var below: [Output] = []
        transport.consume(id, into: &below)
        outputs += below
    }
}

// MARK: The stamp on the wire

extension CausalMulticast {
    private static let bytesOfEntry = 10

    /// The number of changes in two bytes, then for each the member's place in two bytes and its count in eight, then
    /// the payload. `CausalOrder.largestGroup` fits into two bytes.
    static func encode(_ stamp: CausalOrder.Stamp, _ payload: Payload) -> Payload {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 + bytesOfEntry * stamp.changes.count + payload.count)
        bytes.appendBigEndian(UInt16(stamp.changes.count))
        for entry in stamp.changes {
            bytes.appendBigEndian(UInt16(entry.member))
            bytes.appendBigEndian(entry.count)
        }
        return Payload(bytes + payload.bytes)
    }

    /// Nil when the bytes are no stamp and payload.
    static func decode(_ payload: Payload, number: UInt64) -> (CausalOrder.Stamp, Payload)? {
        payload.read { try decode(&$0, number: number) }
    }

    static func decode(
        _ reader: inout ByteFormReader, number: UInt64
    ) throws -> (CausalOrder.Stamp, Payload) {
        let count = try reader.bigEndian(UInt16.self)
        let changes = try reader.elements(UInt64(count)) {
            CausalOrder.Stamp.Entry(member: Int(try $0.bigEndian(UInt16.self)), count: try $0.bigEndian())
        }
        return (CausalOrder.Stamp(number: number, changes: changes), reader.remainder())
    }
}
