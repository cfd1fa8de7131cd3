import TextForms

/// The forms that etcd's users write, because Go's `flag` and `time` packages read them.
enum GoSyntax {
    static func bool(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    /// Nanoseconds of `300ms`, `1.5h`, `2h45m`, `-1s` or `0`; nil when it is none of these or does not fit.
    static func durationNanoseconds(_ text: String) -> Int64? {
        let units: [(String, Double)] = [
            ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9),
            ("h", 3600e9),
        ]
        var rest = Substring(text)
        var sign = 1.0
        if let first = rest.first, first == "-" || first == "+" {
            sign = first == "-" ? -1 : 1
            rest = rest.dropFirst()
        }
        if rest == "0" { return 0 }
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            rest = rest.dropFirst(unit.count)
            guard let amount = Double(number), let scale = units.first(where: { $0.0 == unit })?.1 else {
                return nil
            }
            total += amount * scale
        }
        return Int64(exactly: (sign * total).rounded())
    }

    /// Reads a command line by the rules of Go's `flag` package: one dash or two, `-flag value`,
    /// `-flag=value`, `-flag` alone for a truth value, and the last of several wins.
    ///
    /// - Returns: the values by the flag's own name (not its alias), and what stands after them.
    static func parse(_ arguments: [String], flags: [ServerFlag]) throws(UsageError) -> (
        values: [String: String], rest: [String]
    ) {
        var values: [String: String] = [:]
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            guard argument.hasPrefix("-"), argument != "-" else { break }
            index += 1
            if argument == "--" { break }
            let body = argument.dropFirst(argument.hasPrefix("--") ? 2 : 1)
            guard let first = body.first, first != "-", first != "=" else {
                throw UsageError(message: "bad flag syntax: \(argument)", exitCode: 2)
            }
            let equals = body.firstIndex(of: "=")
            let name = String(body[..<(equals ?? body.endIndex)])
            var value = equals.map { String(body[body.index(after: $0)...]) }
            guard let flag = flags.first(where: { $0.names.contains(name) }) else {
                let hint = NearestName.hint("--\(name)", in: flags.flatMap(\.names).map { "--\($0)" })
                throw UsageError(message: "flag provided but not defined: -\(name)\(hint)", exitCode: 2)
            }
            if value == nil, flag.kind == .bool { value = "true" }
            if value == nil, index < arguments.count {
                value = arguments[index]
                index += 1
            }
            guard let value else {
                throw UsageError(message: "flag needs an argument: -\(name)", exitCode: 2)
            }
            if let complaint = flag.complaint(about: value) {
                throw UsageError(
                    message: "invalid value \"\(value)\" for flag -\(name): \(complaint)", exitCode: 2)
            }
            values[flag.name] = value
        }
        return (values, Array(arguments[index...]))
    }
}
