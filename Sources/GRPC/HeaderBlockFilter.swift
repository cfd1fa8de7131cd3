/// Takes out of a client's bytes the header fields that nghttp2 would end the whole connection for.
///
/// nghttp2 reads no string above 64 KiB and gives up the connection, because whoever does not read a header block to
/// its end does not know the table that later ones refer to. Metadata of any size is one call's affair, though, and
/// none that is so large means anything here. So the blocks that fill more than one frame are read for their structure
/// (RFC 7541, section 6), which takes neither the table nor Huffman's code, and each string that may be too long is
/// left out on the way: a field that would have been entered into the table is replaced by another that is too large
/// for it, which empties the table just as well (section 4.4).
///
///     HEADERS ─ CONTINUATION ─ … ─▶ fields, one at a time ─▶ HEADERS ─ CONTINUATION ─ …
struct HeaderBlockFilter {
    /// Coded by Huffman's rule a string grows by at most eight fifths, so that shorter ones are always below 64 KiB.
    static let longestString = 40_000
    private static let headerBytes = 9
    private static let longestFrame = 16_384
    /// What replaces a field that belongs into the table, whose size is 4,096 unless the client makes it smaller.
    private static let replacement: [UInt8] =
        [0x40, 1, UInt8(ascii: "-")] + [0x7F, 0x81, 0x1F] + [UInt8](repeating: UInt8(ascii: "-"), count: 4096)

    private enum Place {
        case frameHeader
        /// So many bytes are none of ours.
        case passing(Int)
        /// Inside a frame of a header block of which so many bytes are left, the last of them padding.
        case block(Int, padding: Int)
    }

    private enum Field {
        case start
        /// The rest of an integer that began with the bits of a byte, for what it counts.
        case integer(Count, value: Int, shift: Int)
        case string(Count, left: Int)
        /// The length of a string comes next.
        case length(Count)
    }

    private enum Count { case index, indexedName, name, value, tableSize }

    private var place: Place
    private var gathered: [UInt8] = []
    private var field = Field.start
    /// The field under way, as far as it is passed on.
    private var pending: [UInt8] = []
    private var isOversized = false
    private var entersTable = false

    /// The block under way.
    private var stream: [UInt8] = []
    private var flags: UInt8 = 0
    private var endsBlock = false
    private var hasSentHead = false
    private var out: [UInt8] = []
    /// Bytes before the block that a frame's flags announce: the length of its padding, and a priority.
    private var prelude = (padding: false, priority: 0)
    private var blockBytes = 0
    private var continuations = 0
    /// Bytes of strings that were left out of the block.
    private var droppedBytes = 0
    private let limit: Int

    /// - Parameter limit: of the bytes of one block; past it nothing more is read.
    init(limit: Int) {
        self.limit = limit
        // The client's preface comes before the first frame (RFC 9113, section 3.4).
        place = .passing(24)
    }

    enum Failure: Error { case malformed, tooLarge }

    /// What nghttp2 is to read next, and how many bytes are missing from the header block that it belongs to.
    typealias Piece = (UnsafeRawBufferPointer, Int) -> Void

    /// Frames of which a block may consist beyond those that its bytes need: empty ones cost work as well.
    static func continuationLimit(_ limit: Int) -> Int { limit / 1024 + 64 }

    /// Hands on what nghttp2 is to read instead of `bytes`.
    mutating func filter(_ bytes: UnsafeRawBufferPointer, _ body: Piece) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch place {
            case .frameHeader: try onFrameHeader(&rest, bytes, body)
            case .passing(let left):
                let count = min(left, rest.count)
                body(UnsafeRawBufferPointer(rebasing: rest.prefix(count)), 0)
                rest = rest.dropFirst(count)
                place = count == left ? .frameHeader : .passing(left - count)
            case .block(let left, _) where prelude.padding || prelude.priority > 0:
                place = .block(left - 1, padding: try onPrelude(rest.removeFirst(), left))
                if left == 1 { try onFrameEnd(body) }
            case .block(let left, let padding):
                let count = min(left, rest.count)
                let wanted = max(0, min(count, left - padding))
                var fields = rest.prefix(wanted)
                while !fields.isEmpty { try onBytes(&fields, body) }
                rest = rest.dropFirst(count)
                place = .block(left - count, padding: padding)
                if count == left { try onFrameEnd(body) }
            }
        }
    }

    // MARK: Frames

    /// Whole frames that are none of ours pass as one piece.
    private mutating func onFrameHeader(
        _ rest: inout Slice<UnsafeRawBufferPointer>, _ bytes: UnsafeRawBufferPointer, _ body: Piece
    ) throws(Failure) {
        if gathered.isEmpty, stream.isEmpty {
            var end = rest.startIndex
            while rest.endIndex - end >= Self.headerBytes, !beginsLongBlock(bytes, at: end) {
                let next = end + Self.headerBytes + length(bytes, at: end)
                guard next <= rest.endIndex else {
                    place = .passing(next - rest.endIndex)
                    end = rest.endIndex
                    break
                }
                end = next
            }
            if end > rest.startIndex {
                body(UnsafeRawBufferPointer(rebasing: rest[..<end]), 0)
                rest = rest[end...]
                return
            }
        }
        let count = min(Self.headerBytes - gathered.count, rest.count)
        gathered += rest.prefix(count)
        rest = rest.dropFirst(count)
        guard gathered.count == Self.headerBytes else { return }
        let header = gathered
        gathered = []
        try begin(header, body)
    }

    private func length<Bytes: RandomAccessCollection<UInt8>>(_ bytes: Bytes, at index: Int) -> Int
    where Bytes.Index == Int {
        Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
    }

    /// A HEADERS frame that does not end its block.
    private func beginsLongBlock<Bytes: RandomAccessCollection<UInt8>>(_ bytes: Bytes, at index: Int) -> Bool
    where Bytes.Index == Int {
        bytes[index + 3] == 1 && bytes[index + 4] & 4 == 0
    }

    private mutating func begin(_ header: [UInt8], _ body: Piece) throws(Failure) {
        let size = length(header, at: 0)
        let isContinued = header[3] == 9 && !stream.isEmpty
        guard beginsLongBlock(header, at: 0) || isContinued else {
            // Inside a block nothing else may come.
            guard stream.isEmpty else { throw .malformed }
            header.withUnsafeBytes { body($0, 0) }
            place = size == 0 ? .frameHeader : .passing(size)
            return
        }
        guard size <= Self.longestFrame else { throw .malformed }
        if isContinued {
            guard stream.elementsEqual(header[5..<9]) else { throw .malformed }
            endsBlock = header[4] & 4 != 0
            continuations += 1
            guard continuations <= Self.continuationLimit(limit) else { throw .tooLarge }
        } else {
            guard stream.isEmpty else { throw .malformed }
            stream = Array(header[5..<9])
            // Of the flags only the end of the stream means anything to what is made here.
            flags = header[4] & 1
            endsBlock = false
            hasSentHead = false
            (droppedBytes, blockBytes, continuations) = (0, 0, 0)
            prelude = (header[4] & 8 != 0, header[4] & 32 != 0 ? 5 : 0)
        }
        blockBytes += size
        guard blockBytes <= limit else { throw .tooLarge }
        place = .block(size, padding: 0)
        if size == 0 { try onFrameEnd(body) }
    }

    /// How many bytes at the end of the frame are padding.
    private mutating func onPrelude(_ byte: UInt8, _ left: Int) throws(Failure) -> Int {
        guard case .block(_, let padding) = place else { return 0 }
        guard prelude.padding else {
            prelude.priority -= 1
            return padding
        }
        prelude.padding = false
        guard Int(byte) + prelude.priority < left else { throw .malformed }
        return Int(byte)
    }

    private mutating func onFrameEnd(_ body: Piece) throws(Failure) {
        place = .frameHeader
        guard prelude == (false, 0) else { throw .malformed }
        guard endsBlock else { return }
        guard case .start = field else { throw .malformed }
        emit(ends: true, body)
        stream = []
    }

    private mutating func emit(ends: Bool, _ body: Piece) {
        var frame: [UInt8] = []
        frame.reserveCapacity(Self.headerBytes + out.count)
        frame += [UInt8(out.count >> 16), UInt8(out.count >> 8 & 255), UInt8(out.count & 255)]
        frame += [hasSentHead ? 9 : 1, (hasSentHead ? 0 : flags) | (ends ? 4 : 0)]
        frame += stream
        frame += out
        hasSentHead = true
        out.removeAll(keepingCapacity: true)
        frame.withUnsafeBytes { body($0, droppedBytes) }
    }

    // MARK: Fields

    /// Takes one byte, or as much as there is of a string.
    private mutating func onBytes(
        _ bytes: inout Slice<UnsafeRawBufferPointer>, _ body: Piece
    ) throws(Failure) {
        guard case .string(let count, let left) = field else { return try onByte(bytes.removeFirst(), body) }
        let part = bytes.prefix(left)
        if !isOversized { pending += part }
        bytes = bytes.dropFirst(part.count)
        if part.count == left {
            onString(count, body)
        } else {
            field = .string(count, left: left - part.count)
        }
    }

    private mutating func onByte(_ byte: UInt8, _ body: Piece) throws(Failure) {
        switch field {
        case .start:
            pending.append(byte)
            if byte & 0x80 != 0 {
                try onPrefix(byte, 0x7F, .index, body)
            } else if byte & 0xC0 == 0x40 {
                entersTable = true
                try onPrefix(byte, 0x3F, .indexedName, body)
            } else if byte & 0xE0 == 0x20 {
                try onPrefix(byte, 0x1F, .tableSize, body)
            } else {
                try onPrefix(byte, 0x0F, .indexedName, body)
            }
        case .length(let count):
            pending.append(byte)
            try onPrefix(byte, 0x7F, count, body)
        case .integer(let count, let value, let shift):
            guard shift <= 28 else { throw .malformed }
            pending.append(byte)
            let sum = value + Int(byte & 0x7F) << shift
            if byte & 0x80 == 0 {
                try onInteger(sum, count, body)
            } else {
                field = .integer(count, value: sum, shift: shift + 7)
            }
        case .string: break
        }
    }

    private mutating func onPrefix(
        _ byte: UInt8, _ mask: UInt8, _ count: Count, _ body: Piece
    ) throws(Failure) {
        if byte & mask == mask {
            field = .integer(count, value: Int(mask), shift: 0)
        } else {
            try onInteger(Int(byte & mask), count, body)
        }
    }

    private mutating func onInteger(
        _ value: Int, _ count: Count, _ body: Piece
    ) throws(Failure) {
        switch count {
        case .index, .tableSize: endField(body)
        case .indexedName: field = .length(value == 0 ? .name : .value)
        case .name, .value:
            if value > Self.longestString {
                isOversized = true
                droppedBytes += value
                pending.removeAll(keepingCapacity: true)
            }
            if value == 0 { onString(count, body) } else { field = .string(count, left: value) }
        }
    }

    private mutating func onString(_ count: Count, _ body: Piece) {
        if count == .name { field = .length(.value) } else { endField(body) }
    }

    private mutating func endField(_ body: Piece) {
        if isOversized { pending = entersTable ? Self.replacement : [] }
        var rest = pending[...]
        while out.count + rest.count > Self.longestFrame {
            let room = Self.longestFrame - out.count
            out += rest.prefix(room)
            rest = rest.dropFirst(room)
            emit(ends: false, body)
        }
        out += rest
        pending.removeAll(keepingCapacity: true)
        (isOversized, entersTable, field) = (false, false, .start)
    }
}
