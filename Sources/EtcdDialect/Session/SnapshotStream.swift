import Coordination
import NIOCore

/// A call of Snapshot: the whole store, as it was when the call began.
///
/// Reading the store would keep the event loop too long, so pieces are produced by another thread, one at a
/// time, and the next only when the client has taken most of what was sent.
final class SnapshotStream: EtcdCall {
    private var source: SnapshotSource?
    private var remaining = 0
    private var isProducing = false
    private var isStarted = false

    private static var blobBytes: Int { 32 << 10 }
    private static var pieceBytes: Int { 256 << 10 }
    /// Produce no more while this much waits to be taken by the client.
    private static var queueBound: Int { 1 << 20 }

    override func onMessage(_ message: UnsafeRawBufferPointer) throws(EtcdFault) {
        guard !isStarted else { return }
        isStarted = true
        let service = endpoint.service
        inBackground {
            let view = try service.openView()
            do { return try SnapshotSource(view: view) } catch {
                view.close()
                throw error
            }
        } then: { stream, source in
            stream.source = source
            stream.remaining = source.totalBytes
            stream.isOver ? stream.closeSource() : stream.produce()
        }
    }

    override func drained() { produce() }

    override func onEnd() { closeSource() }

    private func produce() {
        guard let transport, let source, !isProducing, transport.queuedBytes < Self.queueBound else { return }
        inBackground {
            let piece = try source.next(Self.pieceBytes)
            return (piece, piece.isEmpty ? source.digest() : [])
        } then: { stream, result in
            let (piece, digest) = result
            stream.isOver ? stream.closeSource() : stream.sendPiece(piece, digest)
        }
    }

    private func sendPiece(_ piece: [UInt8], _ digest: [UInt8]) {
        do {
            guard !piece.isEmpty else {
                try sendBlob(digest[...])
                return finish()
            }
            var start = 0
            while start < piece.count {
                let end = min(start + Self.blobBytes, piece.count)
                remaining -= end - start
                try sendBlob(piece[start..<end])
                start = end
            }
            produce()
        } catch { fail(error) }
    }

    private func sendBlob(_ blob: ArraySlice<UInt8>) throws(EtcdFault) {
        let remaining = UInt64(remaining)
        try send { writer throws(EtcdFault) in
            writer.uint64(remaining, field: 2)
            writer.bytes(blob, field: 3)
        }
    }

    /// The view must not be closed while the other thread reads it.
    private func closeSource() {
        guard !isProducing else { return }
        source?.close()
        source = nil
    }

    private func inBackground<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value,
        then continue: @escaping (SnapshotStream, Value) -> Void
    ) {
        isProducing = true
        let stream = NIOLoopBound((self, `continue`), eventLoop: endpoint.eventLoop)
        endpoint.server.reads.submit(for: connection) {
            let result = Result { try body() }
            stream.eventLoop.execute {
                let (stream, `continue`) = stream.value
                stream.isProducing = false
                switch result {
                case .success(let value): `continue`(stream, value)
                case .failure(let error):
                    stream.endpoint.service.note(failedReading: error)
                    stream.fail(EtcdFault(reading: error))
                    stream.closeSource()
                }
            }
        }
    }
}
