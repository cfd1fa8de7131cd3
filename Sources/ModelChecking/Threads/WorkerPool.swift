import Glibc
import Synchronization

/// Threads that share out numbered pieces of work between them.
///
/// The caller of `run` works too, so a pool of one has no threads of its own. Which thread does which piece
/// is left to chance; nothing that a checker reports may depend on it.
@usableFromInline final class WorkerPool: @unchecked Sendable {
    @usableFromInline let workers: Int
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var threads: [pthread_t] = []

    // Guarded by the mutex.
    private var generation = 0
    private var working = 0
    private var isStopped = false
    private var body: ((Int) -> Void)?
    private var count = 0

    private let next = Atomic<Int>(0)

    @usableFromInline init(workers: Int) {
        self.workers = max(1, workers)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
        pthread_cond_init(done, nil)
        for _ in 1..<self.workers { startThread() }
    }

    /// Ends the threads. To be called once; nothing may run any more.
    @usableFromInline func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
        for thread in threads { pthread_join(thread, nil) }
        pthread_cond_destroy(wake)
        pthread_cond_destroy(done)
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        wake.deallocate()
        done.deallocate()
    }

    /// Calls `body` once with every number below `count` and returns when all calls have.
    @usableFromInline func run(_ count: Int, _ body: @escaping (Int) -> Void) {
        guard workers > 1, count > 1 else {
            for index in 0..<count { body(index) }
            return
        }
        pthread_mutex_lock(mutex)
        self.body = body
        self.count = count
        next.store(0, ordering: .relaxed)
        working = workers - 1
        generation += 1
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
        work(count, body)
        pthread_mutex_lock(mutex)
        while working > 0 { pthread_cond_wait(done, mutex) }
        self.body = nil
        pthread_mutex_unlock(mutex)
    }

    private func work(_ count: Int, _ body: (Int) -> Void) {
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            body(index)
        }
    }

    private func startThread() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<WorkerPool>.fromOpaque(context!).takeRetainedValue().serve()
                return nil
            }, context)
        precondition(code == 0, "cannot make a thread: error \(code)")
        threads.append(thread)
    }

    private func serve() {
        var seen = 0
        pthread_mutex_lock(mutex)
        while true {
            while generation == seen && !isStopped { pthread_cond_wait(wake, mutex) }
            if isStopped { break }
            seen = generation
            let (body, count) = (body!, count)
            pthread_mutex_unlock(mutex)
            work(count, body)
            pthread_mutex_lock(mutex)
            working -= 1
            if working == 0 { pthread_cond_signal(done) }
        }
        pthread_mutex_unlock(mutex)
    }
}
