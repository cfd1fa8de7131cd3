/// Keys of the table `index`: the user key, escaped so that no key is a prefix of another, then the position
/// with all bits inverted. So the versions of a key stand together, the newest first, and keys keep their
/// order:
///
///     escaped key (0x00 → 0x00 0xFF) · 0x00 0x01 · ~revision (8) · ~sub (4)
enum IndexKey {
    static let positionByteCount = HistoryPosition.byteCount

    /// Appends the part that all versions of `key` share.
    static func append(prefixOf key: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        var rest = key
        while let zero = rest.firstIndex(of: 0) {
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[...zero]))
            bytes.append(0xFF)
            rest = UnsafeRawBufferPointer(rebasing: rest[(zero + 1)...])
        }
        bytes.append(contentsOf: rest)
        bytes.append(0)
        bytes.append(1)
    }

    static func prefix(of key: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(key.count + 2 + positionByteCount)
        key.withUnsafeBytes { append(prefixOf: $0, to: &bytes) }
        return bytes
    }

    static func append(_ position: HistoryPosition, to bytes: inout [UInt8]) {
        let inverted = ((~UInt64(bitPattern: position.revision)).bigEndian, (~position.sub).bigEndian)
        withUnsafeBytes(of: inverted) {
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[..<positionByteCount]))
        }
    }

    static func position(of key: UnsafeRawBufferPointer) throws -> HistoryPosition {
        let start = key.count - positionByteCount
        guard start >= 2 else { throw StoreError(.damaged, "an index key is too short") }
        return HistoryPosition(
            revision: Int64(bitPattern: ~key.bigEndian(UInt64.self, at: start)),
            sub: ~key.bigEndian(UInt32.self, at: start + 8))
    }

    static func prefix(of key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: key[..<max(key.count - positionByteCount, 0)])
    }

    /// The user key of a prefix.
    static func userKey(ofPrefix prefix: UnsafeRawBufferPointer) -> [UInt8] {
        let escaped = UnsafeRawBufferPointer(rebasing: prefix[..<max(prefix.count - 2, 0)])
        guard escaped.contains(0) else { return [UInt8](escaped) }
        var key: [UInt8] = []
        key.reserveCapacity(escaped.count)
        var skips = false
        for byte in escaped {
            if !skips { key.append(byte) }
            skips = byte == 0 && !skips
        }
        return key
    }
}

/// Keys of the table `attachment`: lease, then user key.
enum AttachmentKey {
    static func append(_ lease: Int64, _ key: [UInt8], to bytes: inout [UInt8]) {
        bytes.appendBigEndian(lease)
        bytes.append(contentsOf: key)
    }
}
