import Coordination

/// A whole store as bytes: the checkpoint of it, as `synod backup` writes it.
enum StoreImage {
    static func bytes(of reader: any OrderedReader) throws -> [UInt8] {
        var writer = try CheckpointWriter(of: reader)
        var bytes: [UInt8] = []
        while let piece = try writer.next() { bytes += piece.enveloped }
        return bytes
    }

    static func store(from bytes: [UInt8]) throws -> MemoryStore {
        let store = MemoryStore()
        var stream = CheckpointStream()
        try bytes.withUnsafeBytes { try stream.receive($0, into: store) }
        try stream.expectEnd()
        return store
    }
}
