import Glibc
import NIOCore
import NIOPosix

/// An address as operators write it.
func shown(_ address: SocketAddress) -> String {
    guard let host = address.ipAddress, let port = address.port else {
        return address.pathname ?? "\(address)"
    }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
}

/// What an operator is told about a socket that failed: the reason in the system's words, without the types that
/// carried it here.
public func reason(of error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
        if let failure = error.connectionErrors.first {
            return error.connectionErrors.dropFirst().reduce(into: reason(of: failure.error)) { text, next in
                let other = reason(of: next.error)
                if !text.contains(other) { text += ", \(other)" }
            }
        }
        if let failure = error.dnsAError ?? error.dnsAAAAError {
            return "\(error.host) cannot be resolved: \(reason(of: failure))"
        }
        return "it has no address"
    case let error as IOError: return String(cString: strerror(error.errnoCode))
    case ChannelError.connectTimeout(let time):
        return "no answer within \(time.nanoseconds / 1_000_000) ms"
    default: return "\(error)"
    }
}
