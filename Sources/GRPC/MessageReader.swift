/// Cuts a call's data into messages: one flag byte, four bytes of length, the message.
///
/// A message that lies whole in what was received is handed out where it lies; only one that arrives in
/// pieces is gathered in memory of its own, which grows with what has really come and never with what the
/// prefix promises.
struct MessageReader: ~Copyable {
    enum Step {
        case message(UnsafeRawBufferPointer)
        case needsMore
        case failed(GRPCStatus)
    }

    private var gathered = ByteQueue()
    /// The bytes of `gathered` have been handed out and go at the next step.
    private var handedOut = false

    private static let prefixBytes = 5

    /// Bytes of a message that has begun and not ended.
    var unfinishedBytes: Int { handedOut ? 0 : gathered.count }

    /// The next message out of `chunk`, which is cut down to what is left. A message is valid until the
    /// next step and as long as the chunk is.
    mutating func next(_ chunk: inout UnsafeRawBufferPointer, limit: Int) -> Step {
        if handedOut {
            handedOut = false
            gathered.removeAll(keepingCapacity: 4096)
        }
        if gathered.isEmpty {
            guard chunk.count >= Self.prefixBytes else {
                take(chunk.count, of: &chunk)
                return .needsMore
            }
            if let failure = Self.check(chunk, limit: limit) { return .failed(failure) }
            let total = Self.prefixBytes + Self.length(chunk)
            guard chunk.count >= total else {
                take(chunk.count, of: &chunk)
                return .needsMore
            }
            let message = UnsafeRawBufferPointer(rebasing: chunk[Self.prefixBytes..<total])
            chunk = UnsafeRawBufferPointer(rebasing: chunk[total...])
            return .message(message)
        }
        if gathered.count < Self.prefixBytes {
            take(min(Self.prefixBytes - gathered.count, chunk.count), of: &chunk)
            guard gathered.count == Self.prefixBytes else { return .needsMore }
            if let failure = Self.check(gathered.bytes, limit: limit) { return .failed(failure) }
        }
        let total = Self.prefixBytes + Self.length(gathered.bytes)
        take(min(total - gathered.count, chunk.count), of: &chunk)
        guard gathered.count == total else { return .needsMore }
        handedOut = true
        return .message(UnsafeRawBufferPointer(rebasing: gathered.bytes[Self.prefixBytes...]))
    }

    /// Gives back the memory; nothing more is read.
    mutating func release() {
        gathered.release()
        handedOut = false
    }

    private mutating func take(_ count: Int, of chunk: inout UnsafeRawBufferPointer) {
        gathered.append(chunk.baseAddress, count)
        chunk = UnsafeRawBufferPointer(rebasing: chunk[count...])
    }

    private static func length(_ prefix: UnsafeRawBufferPointer) -> Int {
        Int(UInt32(bigEndian: prefix.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
    }

    private static func check(_ prefix: UnsafeRawBufferPointer, limit: Int) -> GRPCStatus? {
        switch prefix[0] {
        case 0: break
        case 1: return .compressedWithoutEncoding
        default: return .unexpectedPayloadFormat(prefix[0])
        }
        let length = length(prefix)
        return length > limit ? .messageTooLarge(length, limit: limit) : nil
    }
}
