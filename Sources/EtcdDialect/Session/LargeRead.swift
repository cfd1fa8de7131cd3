import Coordination
import NIOCore

/// The answer to a read that is too large for the event loop: planned and copied by another thread, in pieces,
/// and the next only when the client has taken most of what was sent.
///
/// A view stays open meanwhile, and the store cannot use again what the view sees. So a client that does not
/// take its answer in time gets what is left of it queued, where its connection's bound applies.
final class LargeRead {
    private static var pieceBytes: Int { 512 << 10 }
    /// Copy no more while this much waits to be taken by the client.
    private static var queueBound: Int { 1 << 20 }
    static var patience: TimeAmount { .seconds(5) }

    /// What the other thread works on, one job at a time.
    private final class Work: @unchecked Sendable {
        let view: any OrderedView
        var plan: AnswerPlan

        init(_ read: UnaryCall.Read, _ header: ResponseHeader, in service: any CoordinationService) throws {
            view = try service.openView()
            do {
                let reader = KeyValueReader(view)
                switch read {
                case .range(let query): plan = try AnswerPlan(.range(reader.plan(query)), header: header)
                case .transaction(let transaction):
                    plan = try AnswerPlan(reader.plan(transaction), header: header)
                case .other: preconditionFailure("a read that is never large")
                }
            } catch {
                view.close()
                throw error
            }
        }
    }

    private unowned let call: UnaryCall
    private var work: Work?
    private var remaining = 0
    private var isWorking = false
    private var isLate = false
    private var timer: Scheduled<Void>?

    init(_ call: UnaryCall) { self.call = call }

    func start(_ read: UnaryCall.Read) {
        let service = call.endpoint.service
        let header = call.endpoint.header
        let reading = UnsafeRead(read: read)
        inBackground {
            try Work(reading.read, header, in: service)
        } then: { read, work in
            read.work = work
            guard !read.call.isOver else { return read.close() }
            read.remaining = work.plan.byteCount
            read.call.begin(byteCount: read.remaining)
            read.timer = read.call.endpoint.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) {
                read.isLate = true
                read.produce()
            }
            read.produce()
        }
    }

    /// The client has taken what was queued.
    func drained() { produce() }

    /// The call is over. The view must not be closed while the other thread reads it.
    func close() {
        timer?.cancel()
        timer = nil
        guard !isWorking else { return }
        work?.view.close()
        work = nil
    }

    private func produce() {
        guard !isWorking, let work, let queued = call.queuedBytes else { return }
        guard queued < Self.queueBound || isLate else { return }
        inBackground {
            try work.plan.next(Self.pieceBytes)
        } then: { read, piece in
            guard !read.call.isOver else { return read.close() }
            read.remaining -= piece.count
            read.call.append(piece)
            if read.remaining == 0 {
                read.call.finish()
            } else {
                read.produce()
            }
        }
    }

    private func inBackground<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value,
        then continue: @escaping (LargeRead, Value) -> Void
    ) {
        isWorking = true
        // The call, which owns this, lives until its job is done.
        let kept = NIOLoopBound((self, call, `continue`), eventLoop: call.endpoint.eventLoop)
        call.endpoint.server.reads.submit(for: call.connection) {
            let result = Result { try body() }
            kept.eventLoop.execute {
                let (read, call, `continue`) = kept.value
                read.isWorking = false
                switch result {
                case .success(let value): `continue`(read, value)
                case .failure(let error):
                    call.fail(EtcdFault(reading: error))
                    read.close()
                }
            }
        }
    }
}

/// A query is a value, but for the body of `other`, which is not carried over.
private struct UnsafeRead: @unchecked Sendable {
    let read: UnaryCall.Read
}
