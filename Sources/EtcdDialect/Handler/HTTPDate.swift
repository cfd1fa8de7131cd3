import Glibc

/// The time of a response as HTTP writes it (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    static var now: String { text(at: time(nil)) }

    /// `seconds` since the epoch.
    static func text(at seconds: Int) -> String {
        var seconds = seconds
        var calendar = tm()
        gmtime_r(&seconds, &calendar)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(days[Int(calendar.tm_wday)]), \(two(calendar.tm_mday)) \(months[Int(calendar.tm_mon)]) "
            + "\(1900 + calendar.tm_year) \(two(calendar.tm_hour)):\(two(calendar.tm_min)):\(two(calendar.tm_sec)) GMT"
    }
}
