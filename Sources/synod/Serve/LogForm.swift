import Glibc
import Runtime
import TextForms

/// How a line of the log looks.
enum LogForm: String, Sendable {
    /// What etcd writes: an object a line, with `level`, `ts`, `caller`, `msg` and the values by their names.
    case json
    /// For people: time, level and the sentence, in which all values stand.
    case console

    func line(_ record: LogRecord, at time: timespec) -> String {
        switch self {
        case .console: return "\(Self.text(of: time)) \(Self.name(of: record.level)) \(record.message)"
        case .json:
            var line = #"{"level":"\#(Self.name(of: record.level))","ts":"\#(Self.text(of: time))","caller":"#
            line += JSONText.string(record.caller) + #","msg":"# + JSONText.string(record.message)
            for field in record.fields {
                line += ",\(JSONText.string(field.name)):"
                switch field.value {
                case .text(let text): line += JSONText.string(text)
                case .number(let number): line += String(number)
                case .flag(let flag): line += flag ? "true" : "false"
                case .texts(let texts):
                    line += "[\(texts.map { JSONText.string($0) }.joined(separator: ","))]"
                }
            }
            return line + "}"
        }
    }

    private static func name(of level: ServerOptions.LogLevel) -> String {
        switch level {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warn"
        case .error: "error"
        case .fatal: "fatal"
        }
    }

    /// `2026-01-31T23:59:59.123456Z`.
    private static func text(of time: timespec) -> String {
        var (time, calendar) = (time, tm())
        gmtime_r(&time.tv_sec, &calendar)
        return "\(calendar.tm_year + 1900)-\(padded(calendar.tm_mon + 1, 2))-\(padded(calendar.tm_mday, 2))T"
            + "\(padded(calendar.tm_hour, 2)):\(padded(calendar.tm_min, 2)):\(padded(calendar.tm_sec, 2))"
            + ".\(padded(Int32(time.tv_nsec / 1_000), 6))Z"
    }

    private static func padded(_ number: Int32, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
