import Automata
import Glibc

/// The time line that all of a server's threads share. It keeps counting while the process is stopped, and while
/// the machine is suspended: a leader whose machine slept must find its lease over, as the others do, who did not
/// sleep. CLOCK_MONOTONIC stands still in that time; CLOCK_BOOTTIME does not, and takes as long to read (28 ns).
enum MonotonicClock {
    static func now() -> Instant { reading(of: CLOCK_BOOTTIME) }

    /// `deadline` as CLOCK_MONOTONIC shows it, by which the system lets a thread wait, if the machine is not
    /// suspended before. If it is, the wait is longer by that time, as nothing runs in it.
    static func waking(at deadline: Instant) -> Instant {
        reading(of: CLOCK_MONOTONIC) + deadline.since(now())
    }

    private static func reading(of clock: clockid_t) -> Instant {
        var time = timespec()
        clock_gettime(clock, &time)
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
