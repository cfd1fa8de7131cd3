import GRPC
import NIOHTTP1

/// How the gateway tells errors.
enum GatewayError {
    /// The fields of etcd 3.5 and of 3.6 together, so that clients of both find theirs.
    static func unary(_ status: GRPCStatus) -> [UInt8] {
        let text = quoted(status.message)
        return Array("{\"error\":\(text),\"code\":\(status.code.rawValue),\"message\":\(text)}".utf8)
    }

    static func stream(_ status: GRPCStatus) -> [UInt8] {
        let code = status.code.rawValue
        let http = httpStatus(status.code)
        return Array(
            """
            {"error":{"grpc_code":\(code),"http_code":\(http.code),"message":\(quoted(status.message)),\
            "http_status":\(quoted(http.reasonPhrase)),"code":\(code)}}
            """.utf8)
    }

    static func httpStatus(_ code: GRPCStatus.Code) -> HTTPResponseStatus {
        switch code {
        case .ok: .ok
        case .cancelled: .requestTimeout
        case .invalidArgument, .failedPrecondition, .outOfRange: .badRequest
        case .deadlineExceeded: .gatewayTimeout
        case .notFound: .notFound
        case .alreadyExists, .aborted: .conflict
        case .permissionDenied: .forbidden
        case .unauthenticated: .unauthorized
        case .resourceExhausted: .tooManyRequests
        case .unimplemented: .notImplemented
        case .unavailable: .serviceUnavailable
        case .unknown, .internalError, .dataLoss: .internalServerError
        }
    }

    /// A JSON string.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case let control where control.value < 0x20:
                let digits = String(control.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
