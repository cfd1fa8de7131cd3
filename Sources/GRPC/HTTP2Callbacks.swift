import CNghttp2

/// The C side of `HTTP2Session`: what nghttp2 calls, and on which method it ends.
enum HTTP2Callbacks {
    static func makeSession(for session: HTTP2Session, _ settings: GRPCSettings) -> OpaquePointer {
        var options: OpaquePointer?
        nghttp2_option_new(&options)
        defer { nghttp2_option_del(options) }
        // Priorities are not used, so nothing is kept for closed streams.
        nghttp2_option_set_no_closed_streams(options, 1)
        // `RequestHead` judges requests itself, as grpc-go does: clients of old gRPC releases name the whole
        // URL in `:authority`, which nghttp2's own check of the messages would end with PROTOCOL_ERROR.
        nghttp2_option_set_no_http_messaging(options, 1)
        // As many pings as fit into what is read in one go get their answers.
        nghttp2_option_set_max_outbound_ack(options, 40_000)
        // Long header blocks come through the filter, which has bounds of its own.
        nghttp2_option_set_max_continuations(
            options, HeaderBlockFilter.continuationLimit(settings.maxHeaderListBytes))
        nghttp2_option_set_stream_reset_rate_limit(
            options, settings.resetBurst, settings.resetsPerSecond)
        var handle: OpaquePointer?
        let result = nghttp2_session_server_new2(
            &handle, table, Unmanaged.passUnretained(session).toOpaque(), options)
        guard result == 0, let handle else { fatalError("out of memory for an HTTP/2 session") }
        return handle
    }

    /// Made once; nghttp2 copies what it needs.
    private nonisolated(unsafe) static let table: OpaquePointer? = {
        var table: OpaquePointer?
        nghttp2_session_callbacks_new(&table)
        nghttp2_session_callbacks_set_on_begin_headers_callback(table) { _, frame, user in
            if isRequest(frame) { with(user) { $0.onBeginHeaders() } }
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback2(table) { _, frame, name, value, _, user in
            if isRequest(frame), let name, let value { with(user) { $0.onField(name: name, value: value) } }
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(table) { _, frame, user in
            if let frame { with(user) { onFrame(frame, $0) } }
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table) { _, _, id, bytes, count, user in
            with(user) { $0.onData(id, UnsafeRawBufferPointer(start: bytes, count: count)) }
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(table) { _, id, _, user in
            with(user) { $0.onStreamClosed(id) }
            return 0
        }
        nghttp2_session_callbacks_set_send_data_callback(table) { _, _, header, count, source, user in
            guard let header, let source else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
            with(user) { $0.onWrite(stream(source), header: header, count: count) }
            return 0
        }
        return table
    }()

    static let read: nghttp2_data_source_read_callback = { _, _, _, limit, flags, source, _ in
        guard let source, let flags else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
        return stream(source).onRead(limit, &flags.pointee)
    }

    private static func onFrame(_ frame: UnsafePointer<nghttp2_frame>, _ session: HTTP2Session) {
        let header = frame.pointee.hd
        let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue:
            if isRequest(frame) {
                session.onRequest(header.stream_id, endsStream: endsStream)
            } else if endsStream {
                session.onRemoteClosed(header.stream_id)
            }
        case NGHTTP2_DATA.rawValue:
            if endsStream { session.onRemoteClosed(header.stream_id) }
        case NGHTTP2_PING.rawValue:
            var payload = frame.pointee.ping.opaque_data
            withUnsafeBytes(of: &payload) {
                session.onPing(
                    isAnswer: header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0, payload: $0)
            }
        default:
            break
        }
    }

    private static func isRequest(_ frame: UnsafePointer<nghttp2_frame>?) -> Bool {
        frame.map { $0.pointee.headers.cat == NGHTTP2_HCAT_REQUEST } ?? false
    }

    /// Whoever calls into nghttp2 holds the session meanwhile: it need not be counted for every field of a request.
    @inline(__always)
    private static func with(_ user: UnsafeMutableRawPointer?, _ body: (HTTP2Session) -> Void) {
        Unmanaged<HTTP2Session>.fromOpaque(user!)._withUnsafeGuaranteedRef(body)
    }

    private static func stream(_ source: UnsafeMutablePointer<nghttp2_data_source>) -> HTTP2Stream {
        Unmanaged<HTTP2Stream>.fromOpaque(source.pointee.ptr).takeUnretainedValue()
    }
}
