import Glibc
import Runtime

/// Lines of `time level message`, one write each, so that lines of several threads never mix.
struct Log: Sendable {
    var descriptor: Int32 = 2
    var minimum = ServerOptions.LogLevel.info

    func callAsFunction(_ level: ServerOptions.LogLevel, _ message: String) {
        guard level >= minimum else { return }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var calendar = tm()
        gmtime_r(&now.tv_sec, &calendar)
        let line =
            "\(calendar.tm_year + 1900)-\(padded(calendar.tm_mon + 1, 2))-\(padded(calendar.tm_mday, 2))T"
            + "\(padded(calendar.tm_hour, 2)):\(padded(calendar.tm_min, 2)):\(padded(calendar.tm_sec, 2))"
            + ".\(padded(Int32(now.tv_nsec / 1_000_000), 3))Z \(level) \(message)\n"
        let bytes = Array(line.utf8)
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }

    private func padded(_ number: Int32, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
