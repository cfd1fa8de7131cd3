import CNghttp2

/// The client's side of one HTTP/2 connection, from memory to memory: requests go in, bytes come out of
/// `takeOutput`, and what the server answers gathers in `exchanges`.
public final class HTTP2TestSession {
    /// What the server has said on one stream so far.
    public struct Exchange: Sendable {
        public var headers: [(name: String, value: String)] = []
        public var trailers: [(name: String, value: String)] = []
        public internal(set) var messages: [[UInt8]] = []
        /// What has come of a message that is not whole yet, prefix included.
        public internal(set) var rest: [UInt8] = []
        public internal(set) var dataBytes = 0
        /// DATA frames that carried anything.
        public internal(set) var dataFrames = 0
        public var isClosed = false
        /// The HTTP/2 error code of a stream that was reset.
        public var resetCode: UInt32?

        mutating func onData(_ bytes: UnsafeBufferPointer<UInt8>) {
            dataFrames += 1
            dataBytes += bytes.count
            rest += bytes
            var start = 0
            while rest.count - start >= 5 {
                let length = rest[(start + 1)..<(start + 5)].reduce(0) { $0 << 8 | Int($1) }
                guard rest.count - start >= 5 + length else { break }
                messages.append(Array(rest[(start + 5)..<(start + 5 + length)]))
                start += 5 + length
            }
            rest.removeFirst(start)
        }
    }

    public struct GoAway: Sendable {
        public var lastStream: Int32
        public var code: UInt32
        public var debug: String
    }

    public private(set) var exchanges: [Int32: Exchange] = [:]
    public private(set) var goAways: [GoAway] = []
    public private(set) var pingAnswers = 0
    public private(set) var pingsReceived = 0
    /// nghttp2 refused what the server sent; its error code.
    public private(set) var failure: Int?
    /// Called after every change of a stream, with its id.
    public var onChange: ((Int32) -> Void)?

    /// Whether received data opens the windows again by itself. Without, the server is stuck once it has
    /// filled them.
    private let readsAlways: Bool
    fileprivate var outgoing: [Int32: Outgoing] = [:]
    private var handle: OpaquePointer?

    fileprivate struct Outgoing {
        var bytes: [UInt8] = []
        var offset = 0
        var ends = false
        var deferred = false
    }

    /// `window` is what the server may send ahead on one stream, in bytes.
    public init(window: UInt32 = 65_535, readsAlways: Bool = true) {
        self.readsAlways = readsAlways
        var options: OpaquePointer?
        nghttp2_option_new(&options)
        if !readsAlways { nghttp2_option_set_no_auto_window_update(options, 1) }
        nghttp2_option_set_peer_max_concurrent_streams(options, .max)
        nghttp2_option_set_max_outbound_ack(options, 1_000_000)
        nghttp2_session_client_new2(
            &handle, Self.callbacks, Unmanaged.passUnretained(self).toOpaque(), options)
        nghttp2_option_del(options)
        let settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: window),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0),
        ]
        nghttp2_submit_settings(handle, 0, settings, settings.count)
    }

    deinit { nghttp2_session_del(handle) }

    /// Opens a stream; `body` goes out as DATA, and the stream stays open for more unless it `ends`.
    @discardableResult
    public func request(
        _ fields: [(name: String, value: String)], body: [UInt8] = [], ends: Bool = true
    ) -> Int32 {
        var source = nghttp2_data_provider()
        source.read_callback = { _, id, buffer, limit, flags, _, user in
            HTTP2TestSession.from(user).read(id, buffer!, limit, flags!)
        }
        let id = Self.withFields(fields) { fields in
            body.isEmpty && ends
                ? nghttp2_submit_request(handle, nil, fields.baseAddress, fields.count, nil, nil)
                : nghttp2_submit_request(handle, nil, fields.baseAddress, fields.count, &source, nil)
        }
        exchanges[id] = Exchange()
        outgoing[id] = Outgoing(bytes: body, ends: ends)
        return id
    }

    public func send(_ id: Int32, _ bytes: [UInt8], ends: Bool = false) {
        outgoing[id]?.bytes += bytes
        if ends { outgoing[id]?.ends = true }
        if outgoing[id]?.deferred == true {
            outgoing[id]?.deferred = false
            nghttp2_session_resume_data(handle, id)
        }
    }

    public func reset(_ id: Int32, code: UInt32 = NGHTTP2_CANCEL.rawValue) {
        nghttp2_submit_rst_stream(handle, 0, id, code)
    }

    public func ping() { nghttp2_submit_ping(handle, 0, nil) }

    /// Lets the server send `bytes` more on the stream and the connection.
    public func widen(_ id: Int32, by bytes: Int) {
        nghttp2_session_consume(handle, id, bytes)
    }

    public func takeOutput() -> [UInt8] {
        var output: [UInt8] = []
        while true {
            var frame: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(handle, &frame)
            guard count > 0 else { return output }
            output += UnsafeBufferPointer(start: frame, count: count)
        }
    }

    public func receive(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        let taken = nghttp2_session_mem_recv(handle, bytes, bytes.count)
        if taken < 0 { failure = taken }
    }

    // MARK: nghttp2's side

    private func read(
        _ id: Int32, _ buffer: UnsafeMutablePointer<UInt8>, _ limit: Int,
        _ flags: UnsafeMutablePointer<UInt32>
    ) -> Int {
        guard let pending = outgoing[id] else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
        let count = min(limit, pending.bytes.count - pending.offset)
        pending.bytes.withUnsafeBufferPointer {
            if count > 0 { buffer.update(from: $0.baseAddress! + pending.offset, count: count) }
        }
        outgoing[id]?.offset += count
        if pending.offset + count == pending.bytes.count {
            outgoing[id]?.bytes = []
            outgoing[id]?.offset = 0
            if pending.ends {
                flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            } else if count == 0 {
                outgoing[id]?.deferred = true
                return Int(NGHTTP2_ERR_DEFERRED.rawValue)
            }
        }
        return count
    }

    private func onField(_ frame: nghttp2_frame, _ name: String, _ value: String) {
        let id = frame.hd.stream_id
        if frame.headers.cat == NGHTTP2_HCAT_RESPONSE {
            exchanges[id]?.headers.append((name, value))
        } else {
            exchanges[id]?.trailers.append((name, value))
        }
    }

    private func onFrame(_ frame: nghttp2_frame) {
        switch UInt32(frame.hd.type) {
        case NGHTTP2_GOAWAY.rawValue:
            let debug = UnsafeBufferPointer(
                start: frame.goaway.opaque_data, count: frame.goaway.opaque_data_len)
            goAways.append(
                GoAway(
                    lastStream: frame.goaway.last_stream_id, code: frame.goaway.error_code,
                    debug: String(decoding: debug, as: UTF8.self)))
            onChange?(0)
        case NGHTTP2_PING.rawValue:
            if frame.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 {
                pingAnswers += 1
            } else {
                pingsReceived += 1
            }
            onChange?(0)
        case NGHTTP2_RST_STREAM.rawValue:
            exchanges[frame.hd.stream_id]?.resetCode = frame.rst_stream.error_code
        case NGHTTP2_HEADERS.rawValue:
            onChange?(frame.hd.stream_id)
        default:
            break
        }
    }

    private func onData(_ id: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
        exchanges[id]?.onData(bytes)
        onChange?(id)
    }

    private func onClosed(_ id: Int32, _ code: UInt32) {
        exchanges[id]?.isClosed = true
        if code != 0, exchanges[id]?.resetCode == nil { exchanges[id]?.resetCode = code }
        outgoing[id] = nil
        onChange?(id)
    }

    /// Forgets a finished stream.
    public func forget(_ id: Int32) { exchanges[id] = nil }

    private static func from(_ user: UnsafeMutableRawPointer?) -> HTTP2TestSession {
        Unmanaged<HTTP2TestSession>.fromOpaque(user!).takeUnretainedValue()
    }

    private nonisolated(unsafe) static let callbacks: OpaquePointer? = {
        var table: OpaquePointer?
        nghttp2_session_callbacks_new(&table)
        nghttp2_session_callbacks_set_on_header_callback(table) {
            _, frame, name, nameLength, value, valueLength, _, user in
            HTTP2TestSession.from(user).onField(
                frame!.pointee,
                String(decoding: UnsafeBufferPointer(start: name, count: nameLength), as: UTF8.self),
                String(decoding: UnsafeBufferPointer(start: value, count: valueLength), as: UTF8.self))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(table) { _, frame, user in
            HTTP2TestSession.from(user).onFrame(frame!.pointee)
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table) { _, _, id, bytes, count, user in
            HTTP2TestSession.from(user).onData(id, UnsafeBufferPointer(start: bytes, count: count))
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(table) { _, id, code, user in
            HTTP2TestSession.from(user).onClosed(id, code)
            return 0
        }
        return table
    }()

    private static func withFields<R>(
        _ fields: [(name: String, value: String)], _ body: (UnsafeBufferPointer<nghttp2_nv>) -> R
    ) -> R {
        let text = fields.map { (Array($0.name.utf8), Array($0.value.utf8)) }
        var memory = text.flatMap { $0.0 + $0.1 }
        return memory.withUnsafeMutableBufferPointer { memory in
            var offset = 0
            let vectors = text.map { name, value in
                defer { offset += name.count + value.count }
                return nghttp2_nv(
                    name: memory.baseAddress! + offset, value: memory.baseAddress! + offset + name.count,
                    namelen: name.count, valuelen: value.count, flags: 0)
            }
            return vectors.withUnsafeBufferPointer(body)
        }
    }
}

/// The fields of a gRPC request, and a message with its prefix.
public enum GRPCWire {
    public static func fields(
        _ path: String, metadata: [(name: String, value: String)] = [], timeout: String? = nil
    ) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ]
        if let timeout { fields.append(("grpc-timeout", timeout)) }
        return fields + metadata
    }

    public static func frame(_ message: some Collection<UInt8>, flag: UInt8 = 0) -> [UInt8] {
        var framed = [flag]
        framed += withUnsafeBytes(of: UInt32(message.count).bigEndian, Array.init)
        framed += message
        return framed
    }

    /// Undoes the percent-encoding of `grpc-message`.
    public static func decodeMessage(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
