import GRPC
import NIOHTTP1

extension HTTPRequestHead {
    /// Of a client that knows neither chunks nor connections that stay open unless that is said.
    var isOld: Bool { version == .http1_0 || version.major < 1 }
}

/// What Go's server refuses whatever the request is for.
struct GatewayRefusal {
    let status: HTTPResponseStatus
    var reason: String?

    init?(_ head: HTTPRequestHead) {
        let hosts = head.headers["host"].count
        if hosts > 1 {
            (status, reason) = (.badRequest, "too many Host headers")
        } else if hosts == 0, !head.isOld, head.method != .CONNECT {
            (status, reason) = (.badRequest, "missing required Host header")
        } else if let expected = head.headers.first(name: "expect"), expected.lowercased() != "100-continue" {
            status = .expectationFailed
        } else {
            return nil
        }
    }
}

extension GRPCMetadata {
    /// A header of HTTP becomes metadata when it is named for that, or is the token.
    mutating func add(gatewayHeader name: String, value: String) {
        let name = name.lowercased()
        if name == "authorization" {
            entries.append((name, value))
        } else if name.hasPrefix("grpc-metadata-") {
            entries.append((String(name.dropFirst(14)), value))
        }
    }
}
