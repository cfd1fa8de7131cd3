import Coordination

/// The response to a large read, written piece by piece from where its values lie in a view of the store: each
/// is copied once, into the piece that leaves, and no more memory is used than for the pieces on their way.
///
/// How long the message is must be known before its first byte, so the plan adds up first what every pair will
/// take. Used by one thread at a time, while the view is open.
struct AnswerPlan {
    private enum Part {
        case bytes([UInt8])
        /// The pairs of a range, each field 2.
        case pairs(RangePlan)
    }

    private var parts: [Part] = []
    /// Of the whole message.
    private(set) var byteCount = 0
    /// Where the next piece begins: a part, and the pair within it.
    private var part = 0
    private var pair = 0

    init(_ plan: ReadPlan, header: ResponseHeader) throws {
        var writer = ProtobufWriter()
        switch plan {
        case .range(let range):
            writer.header(header, revision: range.revision)
            add(writer.bytes)
            try add(range)
        case .transaction(let succeeded, let answers, let revision):
            writer.header(header, revision: revision)
            add(writer.bytes)
            try add(succeeded, answers)
        }
    }

    // MARK: Planning

    private mutating func add(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        byteCount += bytes.count
        if case .bytes(let before) = parts.last {
            parts[parts.count - 1] = .bytes(before + bytes)
        } else {
            parts.append(.bytes(bytes))
        }
    }

    /// The fields of a range response, but for its header.
    private mutating func add(_ range: RangePlan) throws {
        var bytes = 0
        for index in 0..<range.count { bytes += try range.withPair(at: index) { PairField($0).byteCount } }
        if range.count > 0 { parts.append(.pairs(range)) }
        byteCount += bytes
        var writer = ProtobufWriter()
        writer.bool(range.more, field: 3)
        writer.int64(range.total, field: 4)
        add(writer.bytes)
    }

    /// The fields of a transaction response, but for its header.
    private mutating func add(_ succeeded: Bool, _ answers: [ReadPlan]) throws {
        var writer = ProtobufWriter()
        writer.bool(succeeded, field: 2)
        add(writer.bytes)
        for answer in answers {
            // What the answer holds comes first, as its length stands before it.
            var inside = AnswerPlan()
            let field: Int
            switch answer {
            case .range(let range):
                field = 1
                var header = ProtobufWriter()
                header.revisionHeader(range.revision)
                inside.add(header.bytes)
                try inside.add(range)
            case .transaction(let succeeded, let answers, _):
                field = 4
                var header = ProtobufWriter()
                header.message(field: 1) { _ in }
                inside.add(header.bytes)
                try inside.add(succeeded, answers)
            }
            var front = ProtobufWriter()
            let length = ProtobufWriter.lengthFieldBytes(field: field, count: inside.byteCount)
            front.lengthField(3, count: length + inside.byteCount)
            front.lengthField(field, count: inside.byteCount)
            add(front.bytes)
            parts += inside.parts
            byteCount += inside.byteCount
        }
    }

    private init() {}

    // MARK: Writing

    /// The next bytes of the message, at least `count` but for the last ones; empty at the end.
    mutating func next(_ count: Int) throws -> [UInt8] {
        // What the piece takes is added up first, so that its memory is taken once and for no more.
        let (endPart, endPair, bytes) = try end(of: count)
        guard bytes > 0 else { return [] }
        let piece = try [UInt8](unsafeUninitializedCapacity: bytes) { memory, used in
            var writer = RawWriter(UnsafeMutableRawBufferPointer(memory))
            while (part, pair) != (endPart, endPair) {
                switch parts[part] {
                case .bytes(let bytes):
                    bytes.withUnsafeBytes { writer.append($0) }
                    part += 1
                case .pairs(let range):
                    let stop = part == endPart ? endPair : range.count
                    while pair < stop {
                        try range.withPair(at: pair) { PairField($0).write(to: &writer) }
                        pair += 1
                    }
                    if pair == range.count { (part, pair) = (part + 1, 0) }
                }
            }
            used = writer.count
        }
        precondition(piece.count == bytes, "a piece of \(bytes) bytes has \(piece.count)")
        return piece
    }

    private func end(of count: Int) throws -> (part: Int, pair: Int, bytes: Int) {
        var (part, pair, bytes) = (part, pair, 0)
        while part < parts.count, bytes < count {
            switch parts[part] {
            case .bytes(let content):
                bytes += content.count
                part += 1
            case .pairs(let range):
                while pair < range.count, bytes < count {
                    bytes += try range.withPair(at: pair) { PairField($0).byteCount }
                    pair += 1
                }
                if pair == range.count { (part, pair) = (part + 1, 0) }
            }
        }
        return (part, pair, bytes)
    }
}

/// A pair as field 2 of a range response.
private struct PairField {
    private let pair: RangePlan.Pair
    private let contentBytes: Int

    init(_ pair: RangePlan.Pair) {
        self.pair = pair
        contentBytes =
            Self.bytes(pair.key) + Self.bytes(pair.value) + Self.bytes(pair.createRevision)
            + Self.bytes(pair.modRevision) + Self.bytes(pair.version) + Self.bytes(pair.lease)
    }

    var byteCount: Int { 1 + ProtobufWriter.varintLength(UInt64(contentBytes)) + contentBytes }

    private static func bytes(_ content: UnsafeRawBufferPointer) -> Int {
        content.isEmpty ? 0 : 1 + ProtobufWriter.varintLength(UInt64(content.count)) + content.count
    }

    private static func bytes(_ number: Int64) -> Int {
        number == 0 ? 0 : 1 + ProtobufWriter.varintLength(UInt64(bitPattern: number))
    }

    func write(to writer: inout RawWriter) {
        writer.tag(2, .bytes)
        writer.varint(UInt64(contentBytes))
        writer.bytes(pair.key, field: 1)
        writer.int64(pair.createRevision, field: 2)
        writer.int64(pair.modRevision, field: 3)
        writer.int64(pair.version, field: 4)
        writer.bytes(pair.value, field: 5)
        writer.int64(pair.lease, field: 6)
    }
}

/// Writes fields into memory that is known to suffice.
private struct RawWriter {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            memory[count] = UInt8(truncatingIfNeeded: rest) | 0x80
            count += 1
            rest >>= 7
        }
        memory[count] = UInt8(truncatingIfNeeded: rest)
        count += 1
    }

    mutating func tag(_ field: Int, _ type: ProtobufWireType) {
        varint(UInt64(field) << 3 | UInt64(type.rawValue))
    }

    mutating func bytes(_ content: UnsafeRawBufferPointer, field: Int) {
        guard !content.isEmpty else { return }
        tag(field, .bytes)
        varint(UInt64(content.count))
        append(content)
    }

    mutating func int64(_ number: Int64, field: Int) {
        guard number != 0 else { return }
        tag(field, .varint)
        varint(UInt64(bitPattern: number))
    }
}
