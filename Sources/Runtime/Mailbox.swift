import Automata
import Glibc

/// A bounded queue from any number of threads to one, which takes everything that is queued at once.
///
/// A producer wakes the consumer only when it sleeps, so that under load nobody makes a system call.
final class Mailbox<Message: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var queue: [Message] = []
    private var isConsumerAsleep = false
    private var isClosed = false
    /// What `offer` observes; `send` does not, because what it carries must not be lost.
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Queues a message whatever the queue holds: for what is bounded elsewhere.
    func send(_ message: Message) {
        pthread_mutex_lock(mutex)
        queue.append(message)
        let wakes = isConsumerAsleep
        isConsumerAsleep = false
        pthread_mutex_unlock(mutex)
        if wakes { pthread_cond_signal(condition) }
    }

    /// Queues several messages with one wake-up.
    func send(contentsOf messages: [Message]) {
        guard !messages.isEmpty else { return }
        pthread_mutex_lock(mutex)
        queue.append(contentsOf: messages)
        let wakes = isConsumerAsleep
        isConsumerAsleep = false
        pthread_mutex_unlock(mutex)
        if wakes { pthread_cond_signal(condition) }
    }

    /// Queues a message unless the queue is at its capacity or closed; the caller says what happens then.
    func offer(_ message: Message) -> Bool {
        pthread_mutex_lock(mutex)
        guard queue.count < capacity, !isClosed else {
            pthread_mutex_unlock(mutex)
            return false
        }
        queue.append(message)
        let wakes = isConsumerAsleep
        isConsumerAsleep = false
        pthread_mutex_unlock(mutex)
        if wakes { pthread_cond_signal(condition) }
        return true
    }

    /// The consumer takes what is queued for the last time.
    func close(into messages: inout [Message]) {
        messages.removeAll(keepingCapacity: true)
        pthread_mutex_lock(mutex)
        isClosed = true
        swap(&queue, &messages)
        pthread_mutex_unlock(mutex)
    }

    /// Replaces `messages` by everything that is queued. When nothing is, waits for it until `deadline`, or
    /// for ever when that is nil; `messages` is empty when nothing came. For the consumer only.
    func take(into messages: inout [Message], until deadline: Instant?) {
        messages.removeAll(keepingCapacity: true)
        pthread_mutex_lock(mutex)
        while queue.isEmpty {
            isConsumerAsleep = true
            if let deadline {
                var time = timespec(
                    tv_sec: Int(deadline.nanoseconds / 1_000_000_000),
                    tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
                if pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT { break }
            } else {
                pthread_cond_wait(condition, mutex)
            }
        }
        isConsumerAsleep = false
        swap(&queue, &messages)
        pthread_mutex_unlock(mutex)
    }
}
