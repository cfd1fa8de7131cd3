import NIOCore

/// INTERFACE SKETCH: the signatures other targets compile against.
///
/// What serves the calls that arrive on one connection. Everything here happens on the connection's event
/// loop; nothing is locked and nothing hops.
public protocol GRPCService: AnyObject {
    /// A call has begun. `path` is `/package.Service/Method`. Return what receives its messages, or nil
    /// when there is no such method (the call is ended with UNIMPLEMENTED).
    func open(_ call: GRPCCall, path: String, metadata: GRPCMetadata) -> (any GRPCReceiver)?
    /// Every message that was read from the socket in one go has been handed over: a good moment to pass
    /// on what was queued.
    func readComplete()
    /// The connection is gone; all its calls have been cancelled before.
    func closed()
}

/// Receives one call's messages, in order. Unary calls get exactly one message and then `halfClosed`.
public protocol GRPCReceiver: AnyObject {
    func received(_ message: UnsafeRawBufferPointer)
    func halfClosed()
    /// The client reset the call or the connection is gone. Nothing more may be sent.
    func cancelled()
    /// What is queued for sending has fallen below the low-water mark again.
    func drained()
}

public struct GRPCStatus: Hashable, Sendable {
    public enum Code: Int, Sendable {
        case ok = 0, cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists
        case permissionDenied, resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented
        case internalError, unavailable, dataLoss, unauthenticated
    }
    public var code: Code
    public var message: String
    public init(_ code: Code, _ message: String = "") {
        self.code = code
        self.message = message
    }
    public static let ok = GRPCStatus(.ok)
}

/// The request's headers that are not the transport's own, in order; names in lower case.
public struct GRPCMetadata: Sendable {
    public var entries: [(name: String, value: String)] = []
    public init() {}
    public subscript(name: String) -> String? { entries.first { $0.name == name }?.value }
}

/// One call, as the server answers it.
public protocol GRPCCall: AnyObject {
    /// Queues one message. Bytes leave when the event loop turn ends, or with flow control, later.
    func send(_ message: UnsafeRawBufferPointer)
    func finish(_ status: GRPCStatus)
    /// Bytes queued and not yet taken by the client's flow control.
    var queuedBytes: Int { get }
    /// Time left until the client's deadline in nanoseconds; nil when it gave none.
    var timeoutNanoseconds: Int64? { get }
}
