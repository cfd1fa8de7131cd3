import Automata
import Glibc
import Testing

@testable import Runtime

@Suite("The clock")
struct MonotonicClockTests {
    /// Seconds since the machine was started, the time of its sleep included (proc(5)).
    private func uptime() throws -> Double {
        let file = try #require(fopen("/proc/uptime", "r"))
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 100)
        fgets(&line, 100, file)
        return strtod(line, nil)
    }

    @Test("it counts the time in which the machine slept")
    func countsSleep() throws {
        let before = try uptime()
        let now = MonotonicClock.now().since(.zero).seconds
        let after = try uptime()
        #expect(now >= before - 0.02 && now <= after + 0.02, "\(now) is not between \(before) and \(after)")
    }

    @Test("waiting ends when the clock shows the deadline, whatever the system's own clock for waits shows")
    func waits() {
        let mailbox = Mailbox<Int>(capacity: 1)
        var messages: [Int] = []
        let deadline = MonotonicClock.now() + .milliseconds(50)
        mailbox.take(into: &messages, until: deadline)
        let now = MonotonicClock.now()
        #expect(deadline <= now && now.since(deadline) < .seconds(5))
        // A deadline of the past, as after a sleep, does not wait at all.
        mailbox.take(into: &messages, until: Instant(nanoseconds: 1))
        #expect(MonotonicClock.now().since(now) < .seconds(5))
        #expect(messages.isEmpty)
    }
}
