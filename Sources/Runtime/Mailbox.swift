import Automata
import CLinux
import Glibc
import Synchronization

/// A bounded queue from any number of threads to one, which takes everything that is queued at once.
///
/// A producer wakes the consumer only when it sleeps, so that under load nobody makes a system call.
final class Mailbox<Message: Sendable>: @unchecked Sendable {
    private struct State {
        var queue: [Message] = []
        var isConsumerAsleep = false
        var isClosed = false
    }

    private let state = Mutex(State())
    /// Counts wake-ups, and is what the consumer sleeps on. Written with `state` locked.
    private let wakeUps: UnsafeMutablePointer<UInt32>
    /// Before the consumer sleeps it lets other threads run, of which one may be about to send: that saves the sleep and
    /// the wake-up. Where it finds nothing it is tried ever more seldom. The consumer's own.
    private var yields = Yields()
    private struct Yields {
        private var untilNext = 0
        private var pause = 0

        mutating func areDue() -> Bool {
            guard untilNext > 0 else { return true }
            untilNext -= 1
            return false
        }

        mutating func found(_ something: Bool) {
            pause = something ? 0 : min(pause * 2 + 1, 63)
            untilNext = pause
        }
    }
    /// What `offer` observes; `send` does not, because what it carries must not be lost.
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        wakeUps = .allocate(capacity: 1)
        wakeUps.initialize(to: 0)
    }

    deinit { wakeUps.deallocate() }

    /// Queues a message whatever the queue holds: for what is bounded elsewhere.
    func send(_ message: Message) { _ = enqueue(isOffer: false) { $0.append(message) } }

    /// Queues several messages with one wake-up.
    func send(contentsOf messages: [Message]) {
        guard !messages.isEmpty else { return }
        _ = enqueue(isOffer: false) { $0.append(contentsOf: messages) }
    }

    /// Queues a message unless the queue is at its capacity or closed; the caller says what happens then.
    func offer(_ message: Message) -> Bool { enqueue(isOffer: true) { $0.append(message) } }

    private func enqueue(isOffer: Bool, _ append: (inout [Message]) -> Void) -> Bool {
        let (isQueued, wakes) = state.withLock { state in
            if isOffer, state.isClosed || state.queue.count >= capacity { return (false, false) }
            append(&state.queue)
            let wakes = state.isConsumerAsleep
            state.isConsumerAsleep = false
            if wakes { wakeUps.pointee &+= 1 }
            return (true, wakes)
        }
        if wakes { linux_futex_wake(wakeUps) }
        return isQueued
    }

    /// The consumer takes what is queued for the last time.
    func close(into messages: inout [Message]) {
        messages.removeAll(keepingCapacity: true)
        state.withLock { state in
            state.isClosed = true
            swap(&state.queue, &messages)
        }
    }

    /// Replaces `messages` by everything that is queued. When nothing is, waits for it until `deadline`, or
    /// for ever when that is nil; `messages` is empty when nothing came. For the consumer only.
    func take(into messages: inout [Message], until deadline: Instant?) {
        messages.removeAll(keepingCapacity: true)
        if deadline != .zero, state.withLock({ $0.queue.isEmpty }), yields.areDue() {
            sched_yield()
            yields.found(state.withLock { !$0.queue.isEmpty })
        }
        while true {
            let heard: UInt32? = state.withLock { state in
                guard state.queue.isEmpty, deadline != .zero else {
                    swap(&state.queue, &messages)
                    return nil
                }
                state.isConsumerAsleep = true
                return wakeUps.pointee
            }
            guard let heard else { return }
            guard awaitWakeUp(after: heard, until: deadline) else {
                return state.withLock { state in
                    state.isConsumerAsleep = false
                    swap(&state.queue, &messages)
                }
            }
        }
    }

    /// Whether the deadline has not passed.
    private func awaitWakeUp(after count: UInt32, until deadline: Instant?) -> Bool {
        guard let deadline else {
            _ = linux_futex_wait(wakeUps, count, nil)
            return true
        }
        let waking = MonotonicClock.waking(at: deadline).nanoseconds
        var time = timespec(
            tv_sec: Int(waking / 1_000_000_000), tv_nsec: Int(waking % 1_000_000_000))
        return linux_futex_wait(wakeUps, count, &time) != ETIMEDOUT
    }
}
