import Glibc

/// Signals as values: they are blocked in every thread, and one thread waits for them.
struct Signals: Sendable {
    nonisolated(unsafe) private var set = sigset_t()

    /// Blocks the signals. To be called before the first thread is made, since threads inherit the mask.
    init(_ signals: [Int32]) {
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// The one that comes within the time, if any does.
    func wait(milliseconds: Int) -> Int32? {
        var (set, limit) = (
            set, timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        )
        let signal = sigtimedwait(&set, nil, &limit)
        return signal > 0 ? signal : nil
    }

    /// From now on each of them does what it does by itself, which is to end the process at once. Those that have come
    /// and that nobody waited for count as one with the last.
    func release() {
        while wait(milliseconds: 0) != nil {}
        var set = set
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Waits for one of them.
    func wait() -> Int32 {
        var (set, signal) = (set, Int32(0))
        while sigwait(&set, &signal) != 0 {}
        return signal
    }
}
