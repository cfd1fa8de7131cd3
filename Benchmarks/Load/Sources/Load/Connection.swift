import Glibc

/// One HTTP/2 connection, with up to a given number of requests in flight. It sends as much of each request as the
/// server's windows allow and takes answers as they come.
final class Connection {
    private struct Stream {
        var id: UInt32 = 0
        var draw = Workload.Draw(operation: .put, key: 0)
        var begun: UInt64 = 0
        var hasHead = false
        var answer: [UInt8] = []
    }

    /// The request that has gone out in part, because a window was full.
    private struct Part {
        let slot: Int
        var isOpen = false
        var sent = 0
        var window: Int
    }

    let socket: Socket
    private(set) var isGreeted = false
    private var input = Buffer(capacity: 1 << 18)
    private var output = Buffer(capacity: 1 << 18)
    private var streams: [Stream]
    private var free: [Int]
    private var part: Part?
    private var nextID: UInt32 = 1
    private var window = Frame.firstWindow
    private var streamWindow = Frame.firstWindow
    private var maxFrame = Frame.smallestMaxFrame
    /// Bytes of answers that the server may not yet send again.
    private var taken = 0
    /// A block that was judged good: equal bytes are equal headers, since the server keeps no table.
    private var goodHead: [UInt8] = []
    private var goodTrailers: [UInt8] = []

    init(_ options: Options) throws(Failure) {
        socket = try Socket(host: options.host, port: options.port)
        streams = Array(repeating: Stream(), count: options.streams)
        free = Array((0..<options.streams).reversed())
        Frame.greeting.withUnsafeBytes { output.append($0) }
    }

    var inFlight: Int { streams.count - free.count }
    var hasOutput: Bool { !output.isEmpty }

    // MARK: Sending

    /// Sends what the windows allow: the rest of the request that is out in part, then new ones on free streams.
    func send(_ workload: Workload, now: UInt64) {
        while pour(workload) {
            guard let slot = free.last, let draw = workload.next() else { return }
            free.removeLast()
            streams[slot].id = nextID
            streams[slot].draw = draw
            streams[slot].begun = now
            streams[slot].hasHead = false
            streams[slot].answer.removeAll(keepingCapacity: true)
            part = Part(slot: slot, window: streamWindow)
            nextID += 2
        }
    }

    /// Sends on the request that is out in part; whether it is out now.
    private func pour(_ workload: Workload) -> Bool {
        guard var now = part else { return true }
        let stream = streams[now.slot]
        part = workload.bytes(of: stream.draw, stream: stream.id) { request -> Part? in
            if !now.isOpen {
                request.headers.withUnsafeBytes { output.append($0) }
                now.isOpen = true
            }
            while now.sent < request.payload.count {
                let count = min(request.payload.count - now.sent, window, now.window, maxFrame)
                guard count > 0 else { return now }
                let isLast = now.sent + count == request.payload.count
                head(.data, flags: isLast ? Frame.endStream : 0, stream: stream.id, length: count)
                request.payload.withUnsafeBytes { output.append($0.part(now.sent, count)) }
                now.sent += count
                now.window -= count
                window -= count
            }
            return nil
        }
        return part == nil
    }

    private func head(_ kind: Frame.Kind, flags: UInt8 = 0, stream: UInt32 = 0, length: Int) {
        let place = output.room(Frame.headBytes)
        let lengthAndKind = UInt32(length) << 8 | UInt32(kind.rawValue)
        place.storeBytes(of: lengthAndKind.bigEndian, as: UInt32.self)
        place.storeBytes(of: flags, toByteOffset: 4, as: UInt8.self)
        place.storeBytes(of: stream.bigEndian, toByteOffset: 5, as: UInt32.self)
        output.fill(Frame.headBytes)
    }

    /// Gives the socket what it takes now.
    func flush() throws(Failure) {
        while !output.isEmpty {
            let count = try socket.write(output.bytes)
            guard count > 0 else { return }
            output.drop(count)
        }
    }

    // MARK: Receiving

    /// Takes what the socket has and answers what it asks for.
    func receive(_ workload: Workload) throws(Failure) {
        let room = 1 << 16
        let count = try socket.read(into: input.room(room), room)
        guard count > 0 else { return }
        input.fill(count)
        let now = monotonicNanoseconds()
        while input.count >= Frame.headBytes {
            let bytes = input.bytes
            let length = Int(bytes.word(0) >> 8)
            guard length <= Frame.smallestMaxFrame else {
                throw Failure("the server sent a frame of \(length) bytes")
            }
            guard bytes.count >= Frame.headBytes + length else { break }
            try take(
                kind: bytes[3], flags: bytes[4], stream: bytes.word(5) & 0x7FFF_FFFF,
                payload: bytes.part(Frame.headBytes, length), workload, now)
            input.drop(Frame.headBytes + length)
        }
    }

    private func take(
        kind: UInt8, flags: UInt8, stream: UInt32, payload: UnsafeRawBufferPointer, _ workload: Workload,
        _ now: UInt64
    ) throws(Failure) {
        switch Frame.Kind(rawValue: kind) {
        case .data:
            guard flags & Frame.padded == 0 else { throw Failure("the server sent a padded frame") }
            try onData(payload, flags, try slot(of: stream))
        case .headers:
            guard flags & Frame.padded == 0, flags & Frame.endHeaders != 0 else {
                throw Failure("the server sent headers that are padded or more than a frame")
            }
            try onHeaders(payload, flags, try slot(of: stream), workload, now)
        case .resetStream:
            throw Failure("the server reset a request with code \(payload.count == 4 ? payload.word(0) : 0)")
        case .settings: try onSettings(payload, flags)
        case .ping:
            guard flags & Frame.acknowledged == 0 else { break }
            head(.ping, flags: Frame.acknowledged, length: payload.count)
            output.append(payload)
        case .goAway:
            guard payload.count >= 8 else { throw Failure("the server goes away") }
            let reason = String(decoding: payload.part(8, payload.count - 8), as: UTF8.self)
            throw Failure("the server goes away, with code \(payload.word(4)): \(reason)")
        case .windowUpdate:
            guard payload.count == 4 else { throw Failure("the server sent a window that is no number") }
            let grown = Int(payload.word(0) & 0x7FFF_FFFF)
            if stream == 0 {
                window += grown
            } else if let slot = part?.slot, streams[slot].id == stream {
                part?.window += grown
            }
        case .pushPromise, .continuation:
            throw Failure("the server sent a frame of kind \(kind), which nothing led to")
        case .priority, nil: break
        }
    }

    private func slot(of id: UInt32) throws(Failure) -> Int {
        for slot in streams.indices where streams[slot].id == id && id != 0 { return slot }
        throw Failure("the server answered on stream \(id), on which nothing is in flight")
    }

    private func onData(_ payload: UnsafeRawBufferPointer, _ flags: UInt8, _ slot: Int) throws(Failure) {
        guard flags & Frame.endStream == 0 else { throw Failure("an answer ended without a status") }
        streams[slot].answer.append(contentsOf: payload)
        taken += payload.count
        if taken > Frame.largestWindow / 2 {
            head(.windowUpdate, length: 4)
            Frame.bytes(UInt32(taken)).withUnsafeBytes { output.append($0) }
            taken = 0
        }
    }

    private func onHeaders(
        _ payload: UnsafeRawBufferPointer, _ flags: UInt8, _ slot: Int, _ workload: Workload, _ now: UInt64
    ) throws(Failure) {
        let isEnd = flags & Frame.endStream != 0
        if !isEnd {
            if !Self.equal(payload, goodHead) {
                try Self.judge(try HeaderBlock(payload), isHead: true, isEnd: false)
                goodHead = Array(payload)
            }
            streams[slot].hasHead = true
            return
        }
        if !Self.equal(payload, goodTrailers) || !streams[slot].hasHead {
            try Self.judge(try HeaderBlock(payload), isHead: !streams[slot].hasHead, isEnd: true)
            goodTrailers = Array(payload)
        }
        if part?.slot == slot { throw Failure("the server answered a request before it had all of it") }
        let stream = streams[slot]
        try stream.answer.withUnsafeBufferPointer { bytes throws(Failure) in
            try workload.finish(
                stream.draw, answer: UnsafeRawBufferPointer(bytes), nanoseconds: now - stream.begun)
        }
        streams[slot].id = 0
        free.append(slot)
    }

    /// Throws unless these headers say success.
    private static func judge(_ block: HeaderBlock, isHead: Bool, isEnd: Bool) throws(Failure) {
        if let status = block.grpcStatus, status != "0" {
            throw Failure("the server answered with gRPC status \(status): \(block.grpcMessage ?? "")")
        }
        if isHead, block.httpStatus != "200" {
            throw Failure("the server answered with HTTP status \(block.httpStatus ?? "missing")")
        }
        if isEnd, block.grpcStatus == nil { throw Failure("an answer ended without a gRPC status") }
    }

    private static func equal(_ bytes: UnsafeRawBufferPointer, _ other: [UInt8]) -> Bool {
        bytes.count == other.count && other.withUnsafeBytes { $0.elementsEqual(bytes) }
    }

    private func onSettings(_ payload: UnsafeRawBufferPointer, _ flags: UInt8) throws(Failure) {
        guard flags & Frame.acknowledged == 0 else { return }
        for offset in stride(from: 0, to: payload.count - 5, by: 6) {
            let value = Int(payload.word(offset + 2))
            switch Frame.Setting(rawValue: UInt16(payload[offset]) << 8 | UInt16(payload[offset + 1])) {
            case .initialWindowSize:
                part?.window += value - streamWindow
                streamWindow = value
            case .maxFrameSize: maxFrame = value
            case .maxConcurrentStreams where value < streams.count:
                throw Failure("the server allows \(value) streams on a connection, not \(streams.count)")
            default: break
            }
        }
        head(.settings, flags: Frame.acknowledged, length: 0)
        isGreeted = true
    }
}
