import NIOPosix
import Synchronization

/// Runs what would keep an event loop too long: large reads, and what is made of them.
///
/// Each client has at most one job running and its others wait behind it, and clients take turns, so that
/// nobody's reads wait for more than one of anybody else's.
final class ReadPool: Sendable {
    typealias Job = @Sendable () -> Void

    private struct State {
        /// Jobs that wait, by client; a client that has one running is here also when it has none waiting.
        var jobs: [ObjectIdentifier: [Job]] = [:]
        /// Clients with jobs and none running, the one that has waited longest first.
        var ready: [ObjectIdentifier] = []
        var workers = 0
    }

    private let state = Mutex(State())
    private let threads: NIOThreadPool
    private let limit: Int

    /// Jobs run on `threads`, at most `limit` at a time.
    init(_ threads: NIOThreadPool, limit: Int) {
        self.threads = threads
        self.limit = limit
    }

    func submit(for client: ObjectIdentifier, _ job: @escaping Job) {
        let startsWorker = state.withLock { state in
            if state.jobs[client] == nil {
                state.jobs[client] = [job]
                state.ready.append(client)
            } else {
                state.jobs[client]!.append(job)
            }
            guard state.workers < limit, !state.ready.isEmpty else { return false }
            state.workers += 1
            return true
        }
        guard startsWorker else { return }
        // A pool that is shutting down runs its jobs as well, on the thread that submits them.
        threads.submit { [self] _ in work() }
    }

    private func work() {
        var finished: ObjectIdentifier?
        while let (client, job) = next(after: finished) {
            job()
            finished = client
        }
    }

    private func next(after finished: ObjectIdentifier?) -> (ObjectIdentifier, Job)? {
        state.withLock { state in
            if let finished {
                if state.jobs[finished]!.isEmpty {
                    state.jobs[finished] = nil
                } else {
                    state.ready.append(finished)
                }
            }
            guard !state.ready.isEmpty else {
                state.workers -= 1
                return nil
            }
            let client = state.ready.removeFirst()
            return (client, state.jobs[client]!.removeFirst())
        }
    }
}
