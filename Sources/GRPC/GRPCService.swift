import NIOCore

/// What serves the calls that arrive on one connection. Everything here happens on the connection's event
/// loop; nothing is locked and nothing hops.
public protocol GRPCService: AnyObject {
    /// A call has begun. `path` is `/package.Service/Method`. Return what receives its messages, or nil
    /// when there is no such method (the call is ended with UNIMPLEMENTED) or the call was already ended
    /// with `finish`.
    func open(_ call: any GRPCCall, path: String, metadata: GRPCMetadata) -> (any GRPCReceiver)?
    /// Whether `package.Service` exists: decides whether a refused path is an unknown service or an unknown
    /// method of a known one. Asked only after `open` returned nil.
    func hasService(_ name: String) -> Bool
    /// Every message that was read from the socket in one go has been handed over: a good moment to pass
    /// on what was queued.
    func readComplete()
    /// The connection is gone; all its calls have been cancelled before.
    func closed()
}

extension GRPCService {
    public func hasService(_ name: String) -> Bool { false }
}

/// Receives one call's messages, in order. Unary calls get exactly one message and then `halfClosed`.
/// Nothing is called any more once the call has been ended by `finish` or after `cancelled`.
public protocol GRPCReceiver: AnyObject {
    /// The bytes are valid only during the call.
    func received(_ message: UnsafeRawBufferPointer)
    func halfClosed()
    /// The client reset the call, its deadline passed (the client has been told) or the connection is gone.
    /// Nothing more may be sent.
    func cancelled()
    /// What is queued for sending has fallen below `GRPCSettings.lowWaterBytes` again.
    func drained()
}

/// One call, as the server answers it. Used on the connection's event loop only. After the call's end
/// everything here does nothing.
public protocol GRPCCall: AnyObject {
    /// Queues one message. Bytes leave when the event loop turn ends, or with flow control, later.
    func send(_ message: UnsafeRawBufferPointer)
    /// Queues one message of exactly `byteCount` bytes, which `fill` writes in place.
    func send(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void)
    /// Begins one message of exactly `byteCount` bytes, which `append` brings. Nothing else is sent before
    /// they are complete; a call that is finished earlier leaves the client with a message cut short.
    func begin(byteCount: Int)
    /// Queues the next bytes of the message that has begun, without copying them.
    func append(_ piece: [UInt8])
    /// Ends the call. What was sent before still leaves first.
    func finish(_ status: GRPCStatus)
    /// Bytes queued and not yet taken by the client's flow control. Whoever streams keeps this bounded by
    /// waiting for `drained` before it sends more.
    var queuedBytes: Int { get }
    /// The same for all calls of one connection, and for no others while it is open.
    var connection: ObjectIdentifier { get }
    /// Time left until the client's deadline in nanoseconds; nil when it gave none.
    var timeoutNanoseconds: Int64? { get }
}

extension GRPCCall {
    public func send(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 16) { bytes in
            fill(bytes)
            send(UnsafeRawBufferPointer(bytes))
        }
    }
}

/// The connection that a service serves.
public protocol GRPCConnection: AnyObject {
    var eventLoop: any EventLoop { get }
    var remoteAddress: SocketAddress? { get }
    /// Sends what was queued, now. Without it, bytes leave at the end of the event loop's turn; whoever
    /// answers a batch of calls saves that turn by calling this after the last of them.
    func flush()
    /// Ends the connection at once; its calls are cancelled.
    func close()
}

/// The request's headers that are not the transport's own, in order; names in lower case.
public struct GRPCMetadata: Sendable {
    public var entries: [(name: String, value: String)] = []
    public init() {}
    public subscript(name: String) -> String? { entries.first { $0.name == name }?.value }
}
