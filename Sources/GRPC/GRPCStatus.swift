/// How a call ended.
public struct GRPCStatus: Hashable, Sendable {
    public enum Code: Int, Sendable {
        case ok = 0
        case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists
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

extension GRPCStatus {
    /// The message as it stands in the `grpc-message` header: every byte outside printable ASCII, and the
    /// percent sign, as `%XX` (gRPC over HTTP/2, "Percent-Encoded").
    var encodedMessage: [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(message.utf8.count)
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in message.utf8 {
            if byte >= 0x20, byte <= 0x7E, byte != UInt8(ascii: "%") {
                encoded.append(byte)
            } else {
                encoded.append(UInt8(ascii: "%"))
                encoded.append(digits[Int(byte >> 4)])
                encoded.append(digits[Int(byte & 15)])
            }
        }
        return encoded
    }

    /// The texts that clients match on are grpc-go's.
    static func messageTooLarge(_ bytes: Int, limit: Int) -> GRPCStatus {
        GRPCStatus(.resourceExhausted, "grpc: received message larger than max (\(bytes) vs. \(limit))")
    }
    static func unknownEncoding(_ name: String) -> GRPCStatus {
        GRPCStatus(.unimplemented, "grpc: Decompressor is not installed for grpc-encoding \"\(name)\"")
    }
    static let compressedWithoutEncoding = GRPCStatus(
        .internalError, "grpc: compressed flag set with identity or empty encoding")
    static func unexpectedPayloadFormat(_ flag: UInt8) -> GRPCStatus {
        GRPCStatus(.internalError, "grpc: received unexpected payload format \(flag)")
    }
    static let truncatedMessage = GRPCStatus(.internalError, "unexpected EOF")
    static let deadlineExceeded = GRPCStatus(.deadlineExceeded, "context deadline exceeded")
    static func unknownService(_ name: String) -> GRPCStatus {
        GRPCStatus(.unimplemented, "unknown service \(name)")
    }
    static func unknownMethod(_ method: String, service: String) -> GRPCStatus {
        GRPCStatus(.unimplemented, "unknown method \(method) for service \(service)")
    }
    static func malformedPath(_ path: String) -> GRPCStatus {
        GRPCStatus(.unimplemented, "malformed method name: \"\(path)\"")
    }
    static func contentType(_ value: String) -> GRPCStatus {
        GRPCStatus(.invalidArgument, "invalid gRPC request content-type \"\(value)\"")
    }
    static func method(_ value: String) -> GRPCStatus {
        GRPCStatus(
            .internalError, "Received a HEADERS frame with :method \"\(value)\" which should be POST")
    }
    static func malformedTimeout(_ value: String) -> GRPCStatus {
        GRPCStatus(.internalError, "malformed grpc-timeout: \"\(value)\"")
    }
    static let headersTooLarge = GRPCStatus(
        .resourceExhausted, "received initial metadata size exceeds limit")
    static let tooManyUnfinishedBytes = GRPCStatus(
        .resourceExhausted, "grpc: too many bytes of unfinished messages on this connection")
}
