import Automata
import Glibc

/// The time line that all of a server's threads share. It keeps counting while the process is stopped.
enum MonotonicClock {
    static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}

extension Instant {
    static func max(_ a: Instant, _ b: Instant) -> Instant { a < b ? b : a }
}

extension TimeSpan {
    var seconds: Double { Double(nanoseconds) / 1e9 }
}

/// Keeps the calling thread from running for a while.
func pause(_ span: TimeSpan) {
    var left = timespec(
        tv_sec: Int(span.nanoseconds / 1_000_000_000), tv_nsec: Int(span.nanoseconds % 1_000_000_000))
    var rest = timespec()
    while nanosleep(&left, &rest) != 0 { left = rest }
}
