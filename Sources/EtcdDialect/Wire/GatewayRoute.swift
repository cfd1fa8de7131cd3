import NIOHTTP1

/// What an HTTP/1.1 request asks for.
enum GatewayRoute: Equatable {
    case call(EtcdMethod)
    case page(OperatorPage)
    case preflight
    /// A path of the gateway, or a page, asked for with a method that it does not know.
    case methodNotAllowed(allowed: String?)
    /// Below the gateway's prefix, where nothing is.
    case noSuchCall
    case notFound
}

/// Pages for operators and their tools.
enum OperatorPage: Equatable {
    case health, version, metrics
    case live(check: String?)
    case ready(check: String?)
    /// A checkpoint of the whole store, which `synod backup` asks for.
    case backup
}

extension GatewayRoute {
    private static let prefixes = ["/v3", "/v3beta", "/v3alpha"]

    init(_ method: HTTPMethod, path: String) {
        if method == .OPTIONS {
            self = .preflight
        } else if let page = OperatorPage(path: path) {
            let isAllowed = method == .GET || page == .metrics || method == .HEAD
            self = isAllowed ? .page(page) : .methodNotAllowed(allowed: "GET")
        } else if let prefix = Self.prefixes.first(where: { path.hasPrefix($0 + "/") }) {
            guard let call = MethodTable.byGatewayPath[String(path.dropFirst(prefix.count))] else {
                self = .noSuchCall
                return
            }
            self = method == .POST ? .call(call) : .methodNotAllowed(allowed: nil)
        } else {
            self = .notFound
        }
    }
}

extension OperatorPage {
    fileprivate init?(path: String) {
        switch path {
        case "/health": self = .health
        case "/version": self = .version
        case "/metrics": self = .metrics
        case "/synod/backup": self = .backup
        case "/livez", "/livez/": self = .live(check: nil)
        case "/readyz", "/readyz/": self = .ready(check: nil)
        default:
            if path.hasPrefix("/livez/") {
                self = .live(check: String(path.dropFirst(7)))
            } else if path.hasPrefix("/readyz/") {
                self = .ready(check: String(path.dropFirst(8)))
            } else {
                return nil
            }
        }
    }
}

/// The parameters behind a path's question mark. A name may stand several times.
struct QueryParameters: Equatable {
    private let pairs: [(name: String, value: String)]

    /// `uri` is a path with or without a query.
    init(uri: String) {
        guard let mark = uri.firstIndex(of: "?") else {
            pairs = []
            return
        }
        pairs = uri[uri.index(after: mark)...].split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : "")
        }
    }

    func contains(_ name: String) -> Bool { pairs.contains { $0.name == name } }
    func values(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    static func == (a: QueryParameters, b: QueryParameters) -> Bool {
        a.pairs.elementsEqual(b.pairs) { $0 == $1 }
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest.removeFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
