import Automata
import Coordination
import Paxos

// A checkpoint on its connection, after the greeting, each line a frame with its own checksum:
//
//     head      slot, configuration
//     chunk …   number of the chunk; then entries: table (1), key length (4), value length (4), key, value;
//               in the order of the tables and within each of the keys
//     end       how many chunks and entries there were
//     answer    (the other way) whether it was installed, and why not

struct CheckpointHead: Hashable, Sendable {
    var slot: Slot
    var configuration: [UInt8]

    func encode(into bytes: inout [UInt8]) {
        bytes.appendInteger(slot.rawValue)
        bytes.appendCounted(configuration)
    }

    init(slot: Slot, configuration: [UInt8]) {
        self.slot = slot
        self.configuration = configuration
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = PeerBodyReader(bytes)
        slot = Slot(try reader.integer())
        configuration = try reader.bytes()
        try reader.expectEnd()
    }
}

struct CheckpointEnd: Hashable, Sendable {
    var chunks: UInt64
    var entries: UInt64

    func encode(into bytes: inout [UInt8]) {
        bytes.appendInteger(chunks)
        bytes.appendInteger(entries)
    }

    init(chunks: UInt64, entries: UInt64) {
        self.chunks = chunks
        self.entries = entries
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = PeerBodyReader(bytes)
        chunks = try reader.integer()
        entries = try reader.integer()
        try reader.expectEnd()
    }
}

struct CheckpointAnswer: Hashable, Sendable {
    var isInstalled: Bool
    var reason: String

    func encode(into bytes: inout [UInt8]) {
        bytes.append(isInstalled ? 1 : 0)
        bytes.appendCounted(reason)
    }

    init(isInstalled: Bool, reason: String) {
        self.isInstalled = isInstalled
        self.reason = reason
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = PeerBodyReader(bytes)
        isInstalled = try reader.integer(UInt8.self) != 0
        reason = try reader.text()
        try reader.expectEnd()
    }
}

enum CheckpointChunk {
    static let targetBytes = 256 << 10

    static func append(
        _ table: StoreTable, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
        to bytes: inout [UInt8]
    ) {
        bytes.append(table.rawValue)
        bytes.appendInteger(UInt32(key.count))
        bytes.appendInteger(UInt32(value.count))
        bytes.append(contentsOf: key)
        bytes.append(contentsOf: value)
    }

    /// Puts a chunk's entries into the store; returns how many there were.
    static func restore(_ body: UnsafeRawBufferPointer, in transaction: any OrderedTransaction) throws
        -> UInt64
    {
        var rest = body[...]
        var entries: UInt64 = 0
        while !rest.isEmpty {
            let bytes = UnsafeRawBufferPointer(rebasing: rest)
            guard bytes.count >= 9, let table = StoreTable(rawValue: bytes[0]) else {
                throw PeerProtocolError("a checkpoint's chunk that cannot be read")
            }
            let keyCount = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
            let valueCount = Int(
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 5, as: UInt32.self)))
            guard keyCount > 0, bytes.count - 9 >= keyCount, bytes.count - 9 - keyCount >= valueCount else {
                throw PeerProtocolError("a checkpoint's chunk that cannot be read")
            }
            try transaction.append(
                UnsafeRawBufferPointer(rebasing: bytes[(9 + keyCount)..<(9 + keyCount + valueCount)]),
                for: UnsafeRawBufferPointer(rebasing: bytes[9..<(9 + keyCount)]), in: table)
            rest = rest.dropFirst(9 + keyCount + valueCount)
            entries += 1
        }
        return entries
    }
}
