import Coordination
import NIOCore

/// The answer to a read that is too large for the event loop: planned and copied by another thread, in pieces,
/// and the next only when the client has taken most of what was sent.
///
/// A view stays open meanwhile, and the store cannot use again what the view sees. So a client that does not
/// take its answer in time gets more of it queued, and the view is closed where that is all. One that takes
/// nothing for a minute has its call ended.
final class LargeRead {
    private static var pieceBytes: Int { 512 << 10 }
    /// Copy no more while this much waits to be taken by the client.
    private static var queueBound: Int { 1 << 20 }
    private static var lateQueueBound: Int { 64 << 20 }
    private static var patience: TimeAmount { .seconds(5) }
    private static var idleTimes: Int { 12 }

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
    /// What was queued when the timer fired last, and how often it has been the same since.
    private var lastQueued = 0
    private var idle = 0

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
            read.waitForClient()
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

    private func waitForClient() {
        timer = call.endpoint.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { [self] in
            guard let queued = call.queuedBytes else { return }
            isLate = true
            idle = queued == lastQueued ? idle + 1 : 0
            lastQueued = queued
            guard idle < Self.idleTimes else {
                return call.fail(
                    EtcdFault(.resourceExhausted, "etcdserver: the client does not take the answer"))
            }
            waitForClient()
            produce()
        }
    }

    private func produce() {
        guard !isWorking, let work, let queued = call.queuedBytes else { return }
        guard queued < (isLate ? Self.lateQueueBound : Self.queueBound) else { return }
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
                    call.endpoint.service.note(failedReading: error)
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
