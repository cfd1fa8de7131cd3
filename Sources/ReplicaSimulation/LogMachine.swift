import Automata
import Paxos

/// The state machine of the simulation: it remembers nothing of the log but a hash, which is all that is
/// needed to see whether two processes have applied the same entries in the same order.
struct LogMachine: Hashable {
    var applied: Slot = .zero
    var hash = StableHash()
    /// In force after `applied`.
    var configuration: Configuration

    init(configuration: Configuration) { self.configuration = configuration }

    mutating func apply(_ entry: Entry) {
        applied = applied.next
        Self.combine(entry, at: applied, into: &hash)
        if case .configuration(_, let next) = entry { configuration = next }
    }

    static func combine(_ entry: Entry, at slot: Slot, into hash: inout StableHash) {
        hash.combine(slot.rawValue)
        switch entry {
        case .noop: hash.combine(0)
        case .payload(let id, let payload):
            hash.combine(id.process.rawValue)
            hash.combine(id.number)
            hash.combine(payload.bytes)
        case .configuration(let id, let configuration):
            hash.combine(id.process.rawValue)
            hash.combine(id.number)
            hash.combine(configuration.epoch)
        }
    }

    /// What is stored, and sent as a checkpoint: the slot, the hash, then the configuration.
    var image: [UInt8] {
        var bytes: [UInt8] = []
        for word in [applied.rawValue, hash.value.low, hash.value.high] {
            bytes.appendLittleEndian(word)
        }
        configuration.encode(into: &bytes)
        return bytes
    }

    init(image: [UInt8]) throws {
        func word(_ index: Int) -> UInt64 {
            image.withUnsafeBytes { $0.littleEndian(UInt64.self, at: 8 * index) }
        }
        applied = Slot(word(0))
        hash = StableHash(low: word(1), high: word(2))
        configuration = try image[24...].withUnsafeBytes { try Configuration(decoding: $0) }
    }
}
