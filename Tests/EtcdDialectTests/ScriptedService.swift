import Coordination
import EtcdProtobuf
import Foundation
import GRPC
import NIOEmbedded
import SwiftProtobuf

@testable import EtcdDialect

/// A service that does what a test tells it: it notes what is asked, and delivers what the test says.
final class ScriptedService: CoordinationService, @unchecked Sendable {
    var status = ServiceStatus()
    var limits = ServiceLimits()
    let store = MemoryStore()
    fileprivate(set) var port: ScriptedPort!

    init() {
        status.clusterID = 1
        status.memberID = 2
        status.leaderID = 2
        status.ballotRound = 3
        status.revision = 10
    }

    func openPort(deliver: @escaping @Sendable ([ServiceDelivery]) -> Void) -> any ServicePort {
        port = ScriptedPort(deliver)
        return port
    }

    func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R { try store.read(body) }

    func openView() throws -> any OrderedView { try store.openView() }

    func note(failedReading error: any Error) {}
}

final class ScriptedPort: ServicePort {
    private(set) var submitted: [(request: ServiceRequest, token: UInt64)] = []
    private(set) var watches: [(specification: WatchSpecification, id: WatcherID)] = []
    private(set) var cancelled: [WatcherID] = []
    private(set) var consumedBytes: [WatcherID: Int] = [:]
    private(set) var progressRequests: [(watchers: [WatcherID], token: UInt64)] = []
    private(set) var flushes = 0
    private(set) var isClosed = false
    let deliver: @Sendable ([ServiceDelivery]) -> Void

    init(_ deliver: @escaping @Sendable ([ServiceDelivery]) -> Void) { self.deliver = deliver }

    func submit(_ request: ServiceRequest, token: UInt64) { submitted.append((request, token)) }
    func watch(_ specification: WatchSpecification, watcher: WatcherID) {
        watches.append((specification, watcher))
    }
    func cancelWatch(_ watcher: WatcherID) { cancelled.append(watcher) }
    func consumed(bytes: Int, watcher: WatcherID) { consumedBytes[watcher, default: 0] += bytes }
    func awaitTold(upTo revision: Int64, _ watchers: [WatcherID], token: UInt64) {}
    func requestProgress(of watchers: [WatcherID], token: UInt64) {
        progressRequests.append((watchers, token))
    }
    func flush() { flushes += 1 }
    func close() { isClosed = true }
}

/// A call whose client is the test.
final class RecordingCall: GRPCCall {
    private(set) var messages: [[UInt8]] = []
    private(set) var status: GRPCStatus?
    var queuedBytes = 0
    var timeoutNanoseconds: Int64?

    func send(_ message: UnsafeRawBufferPointer) {
        precondition(status == nil, "sent after the end")
        messages.append([UInt8](message))
    }

    func begin(byteCount: Int) {
        precondition(status == nil && announced == 0, "begun within a message")
        announced = byteCount
        messages.append([])
    }

    func append(_ piece: [UInt8]) {
        precondition(piece.count <= announced, "more than was announced")
        announced -= piece.count
        messages[messages.count - 1] += piece
    }

    private var announced = 0
    var connection: ObjectIdentifier { ObjectIdentifier(self) }

    func finish(_ status: GRPCStatus) {
        precondition(self.status == nil, "finished twice")
        self.status = status
    }

    /// The messages that have come since the last time.
    func take<M: Message>(_: M.Type) throws -> [M] {
        defer { messages = [] }
        return try messages.map { try M(serializedBytes: $0) }
    }
}

/// An endpoint over a scripted service, on an event loop that runs when the test says so.
final class EndpointHarness {
    let service = ScriptedService()
    let loop = EmbeddedEventLoop()
    let endpoint: EtcdEndpoint
    var port: ScriptedPort { service.port }

    init(_ configure: (ScriptedService) -> Void = { _ in }) {
        configure(service)
        endpoint = EtcdServer(service: service).endpoint(on: loop)
    }

    func open(_ method: EtcdMethod, metadata: [(name: String, value: String)] = []) -> (
        EtcdCall?, RecordingCall
    ) {
        let transport = RecordingCall()
        var all = GRPCMetadata()
        all.entries = metadata
        return (endpoint.open(transport, method: method, metadata: all), transport)
    }

    func deliver(_ deliveries: [ServiceDelivery]) {
        port.deliver(deliveries)
        loop.run()
    }

    func send(_ message: some Message, to call: EtcdCall) throws {
        let bytes: [UInt8] = try message.serializedBytes()
        bytes.withUnsafeBytes { call.received($0) }
        endpoint.flush()
    }
}
