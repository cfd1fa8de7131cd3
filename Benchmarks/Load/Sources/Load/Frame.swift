/// What HTTP/2 puts before each frame: nine bytes of length, kind, flags and stream (RFC 9113, section 4.1).
enum Frame {
    static let headBytes = 9

    enum Kind: UInt8 {
        case data, headers, priority, resetStream, settings, pushPromise, ping, goAway, windowUpdate,
            continuation
    }

    static let endStream: UInt8 = 1, acknowledged: UInt8 = 1, endHeaders: UInt8 = 4, padded: UInt8 = 8

    /// Settings that this client or a server names (section 6.5.2).
    enum Setting: UInt16 {
        case headerTableSize = 1
        case enablePush, maxConcurrentStreams, initialWindowSize, maxFrameSize
    }

    static let firstWindow = 65_535
    static let largestWindow = 1 << 31 - 1
    static let smallestMaxFrame = 16_384

    static func head(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, length: Int) -> [UInt8] {
        bytes(UInt32(length) << 8 | UInt32(kind.rawValue)) + [flags] + bytes(stream)
    }

    static func bytes(_ word: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
    }

    /// What a client says first. The server shall refer to no earlier headers, so that equal bytes mean equal
    /// headers; and no window shall ever hold an answer back.
    static let greeting: [UInt8] = {
        let settings: [(Setting, UInt32)] = [
            (.headerTableSize, 0), (.enablePush, 0), (.initialWindowSize, UInt32(largestWindow)),
        ]
        let payload: [UInt8] = settings.flatMap { setting, value -> [UInt8] in
            [0, UInt8(setting.rawValue)] + bytes(value)
        }
        let parts: [[UInt8]] = [
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), head(.settings, length: payload.count), payload,
            head(.windowUpdate, length: 4), bytes(UInt32(largestWindow - firstWindow)),
        ]
        return Array(parts.joined())
    }()
}
