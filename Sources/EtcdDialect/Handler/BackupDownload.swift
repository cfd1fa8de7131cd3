import Coordination
import NIOCore

/// A backup on its way to a client: the store as it was when the client asked.
///
/// Reading the store would keep the event loop too long, so pieces are made by another thread, one at a time, and the
/// next only when the client has taken most of what was sent. Lives on its connection's event loop.
final class BackupDownload {
    static let contentType = "application/octet-stream"
    /// No more is made while this much waits to be taken by the client.
    private static let queueBound = 512 << 10
    /// A client that takes nothing of it for so long is given up: as long as the view is open the store cannot use
    /// the room of what it frees.
    private static let patience = TimeAmount.minutes(10)

    /// Nil when the connection is gone or has nothing more to do with it.
    private weak var handler: GatewayHandler?
    private let service: any CoordinationService
    private var source: BackupSource?
    private var isProducing = false
    private var hasBegun = false
    private var stall: Scheduled<Void>?

    init(handler: GatewayHandler, service: any CoordinationService) {
        self.handler = handler
        self.service = service
    }

    func begin() {
        let service = service
        inBackground {
            try BackupSource(service.openView())
        } then: { download, source in
            download.source = source
            download.produce()
        }
    }

    func drained() {
        stall?.cancel()
        produce()
    }

    /// The client is gone.
    func abandon() {
        handler = nil
        closeSource()
    }

    private func awaitClient(_ handler: GatewayHandler) {
        stall?.cancel()
        stall = handler.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in
            self?.handler?.breakOff()
        }
    }

    private func produce() {
        guard let handler else { return closeSource() }
        guard let source, !isProducing, handler.unwrittenBytes < Self.queueBound else { return }
        inBackground {
            try source.next()
        } then: { download, piece in
            download.send(piece)
        }
    }

    /// The response begins when there is a first piece: until then it can still say what is wrong.
    private func send(_ piece: [UInt8]?) {
        guard let handler else { return closeSource() }
        guard let piece else {
            closeSource()
            return handler.endResponse()
        }
        if !hasBegun {
            hasBegun = true
            handler.beginStream(.ok, type: Self.contentType)
        }
        handler.writeStream(piece)
        awaitClient(handler)
        produce()
    }

    private func fail(_ error: any Error) {
        service.note(failedReading: error)
        closeSource()
        guard let handler else { return }
        if hasBegun {
            handler.breakOff()
        } else {
            handler.respondText(.serviceUnavailable, EtcdFault(reading: error).message + "\n")
        }
    }

    /// The view must not be closed while the other thread reads it.
    private func closeSource() {
        stall?.cancel()
        guard !isProducing else { return }
        source?.close()
        source = nil
    }

    private func inBackground<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value,
        then continue: @escaping (BackupDownload, Value) -> Void
    ) {
        guard let handler else { return }
        isProducing = true
        let download = NIOLoopBound((self, `continue`), eventLoop: handler.eventLoop)
        handler.background.submit(for: ObjectIdentifier(handler)) {
            let result = Result { try body() }
            download.eventLoop.execute {
                let (download, `continue`) = download.value
                download.isProducing = false
                switch result {
                case .success(let value): `continue`(download, value)
                case .failure(let error): download.fail(error)
                }
            }
        }
    }
}

/// The pieces of a backup, read from one view. Used by one thread at a time.
private final class BackupSource: @unchecked Sendable {
    private let view: any OrderedView
    private var writer: CheckpointWriter

    init(_ view: any OrderedView) throws {
        self.view = view
        do { writer = try CheckpointWriter(of: view) } catch {
            view.close()
            throw error
        }
    }

    func next() throws -> [UInt8]? { try writer.next()?.enveloped }

    func close() { view.close() }
}
