import Automata
import Coordination
import Foundation
import Glibc
import Synchronization

@testable import Runtime

/// Ports that no other test of this run uses, nobody else at the moment, and the operating system gives to nobody by
/// itself.
enum TestPorts {
    private static let next = Atomic<Int>(27_000)

    static func take() -> Int {
        while true {
            let port = next.add(1, ordering: .relaxed).oldValue
            if isFree(port) { return port }
        }
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// Servers of one cluster within this process, on loopback, with their directories.
final class TestCluster {
    let directory: String
    let names: [String]
    let lines = Mutex([String]())
    var servers: [String: Server] = [:]
    private let ports: [String: Int]
    private let adjust: (inout ServerOptions) -> Void
    private let openStore: (@Sendable (String) throws -> any ServerStore)?

    init(
        size: Int = 1, _ adjust: @escaping (inout ServerOptions) -> Void = { _ in },
        openStore: (@Sendable (String) throws -> any ServerStore)? = nil
    ) {
        directory = NSTemporaryDirectory() + "synod-runtime-\(UUID().uuidString)"
        names = (1...size).map { "n\($0)" }
        ports = Dictionary(uniqueKeysWithValues: names.map { ($0, TestPorts.take()) })
        self.adjust = adjust
        self.openStore = openStore
    }

    deinit {
        stopAll()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func options(_ name: String) -> ServerOptions {
        var options = ServerOptions(dataDirectory: "\(directory)/\(name)")
        options.name = name
        options.listenPeerURLs = ["http://127.0.0.1:\(ports[name]!)"]
        options.advertisePeerURLs = options.listenPeerURLs
        options.advertiseClientURLs = ["http://127.0.0.1:1"]
        options.initialCluster = names.map {
            .init(name: $0, peerURLs: ["http://127.0.0.1:\(ports[$0]!)"])
        }
        options.heartbeatInterval = .milliseconds(30)
        options.electionTimeout = .milliseconds(300)
        options.minimumLogLevel = .debug
        options.log = { [lines = LinesBox(self)] in
            lines.add("\(name) \($0.level) \($0.message)")
        }
        adjust(&options)
        return options
    }

    private final class LinesBox: @unchecked Sendable {
        weak var cluster: TestCluster?
        init(_ cluster: TestCluster) { self.cluster = cluster }
        func add(_ line: String) { cluster?.lines.withLock { $0.append(line) } }
    }

    @discardableResult func start(
        _ name: String, _ change: (inout ServerOptions) -> Void = { _ in }
    ) throws -> Server {
        var options = options(name)
        change(&options)
        let server: Server
        if let openStore {
            server = try Server.start(options, openStore: openStore)
        } else {
            server = try Server.start(options)
        }
        servers[name] = server
        return server
    }

    func startAll() throws { for name in names { try start(name) } }

    func stop(_ name: String) { servers.removeValue(forKey: name)?.stop() }

    func stopAll() { for name in names { stop(name) } }

    func hasLogged(_ text: String) -> Bool { lines.withLock { $0.contains { $0.contains(text) } } }

    /// Waits for a leader that all running servers know.
    func leader(within seconds: UInt64 = 15) -> String? {
        var found: String?
        _ = eventually(within: seconds) {
            let leaders = Set(servers.values.map { $0.status.leaderID })
            guard leaders.count == 1, let id = leaders.first, id != 0 else { return false }
            found = servers.first { $0.value.status.memberID == id }?.key
            return found != nil
        }
        return found
    }
}

/// A client of one server, on the test's thread.
final class TestClient {
    let server: Server
    let deliveries = Deliveries()
    let port: any ServicePort
    private var lastToken: UInt64 = 0

    init(_ server: Server) {
        self.server = server
        port = server.openPort(deliver: deliveries.deliver)
    }

    deinit { port.close() }

    func submit(_ request: ServiceRequest) -> UInt64 {
        lastToken += 1
        port.submit(request, token: lastToken)
        port.flush()
        return lastToken
    }

    func submit(_ command: KeyValueCommand) -> UInt64 { submit(.command(command.command)) }

    func wait(_ token: UInt64, within seconds: UInt64 = 15) -> Result<ServiceAnswer, ServiceError>? {
        var answer: Result<ServiceAnswer, ServiceError>?
        _ = eventually(within: seconds) {
            answer = deliveries.answer(to: token)
            return answer != nil
        }
        return answer
    }

    func call(_ request: ServiceRequest) throws -> ServiceAnswer {
        guard let answer = wait(submit(request)) else { throw ServiceError.timedOut }
        return try answer.get()
    }

    @discardableResult func call(_ command: KeyValueCommand) throws -> KeyValueOutcome {
        try outcome(of: command.command)
    }

    @discardableResult func call(_ command: LedgerCommand) throws -> LedgerOutcome {
        try outcome(of: command.command)
    }

    private func outcome<Outcome: SpaceOutcome>(of command: Command) throws -> Outcome {
        guard case .outcome(let outcome as Outcome, _) = try call(.command(command)) else {
            throw ServiceError.internalFailure("an answer of another kind")
        }
        return outcome
    }

    /// A linearizable read of one key.
    func get(_ key: String) throws -> String? {
        guard case .ready = try call(.linearizableRead) else { return nil }
        return try server.read { reader in
            try KeyValueReader(reader).range(RangeQuery(range: KeyRange(key: Array(key.utf8)))).keyValues
                .first
                .map { String(decoding: $0.value, as: UTF8.self) }
        }
    }
}

extension Server {
    /// Of everything that a read could return.
    var contentHash: UInt32? { try? read { try KeyValueReader($0).hash(at: 0).hash } }
}

extension MemoryStore: ServerStore {
    public var bytesWrittenSincePoint: Int { 0 }
    public var isSpaceLow: Bool { false }
    public var isBehind: Bool { false }
    public var syncFailure: StoreError? { nil }
    public func openPoint() throws -> any OrderedView { try openView() }
}
