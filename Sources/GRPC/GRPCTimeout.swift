/// The `grpc-timeout` header: at most eight digits and a unit.
enum GRPCTimeout {
    /// Nanoseconds, saturating; nil when the value is malformed.
    static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard text.count >= 2, text.count <= 9, let unit = text.last else { return nil }
        var value: Int64 = 0
        for byte in text.dropLast() {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        let nanoseconds: Int64
        switch unit {
        case UInt8(ascii: "H"): nanoseconds = 3_600_000_000_000
        case UInt8(ascii: "M"): nanoseconds = 60_000_000_000
        case UInt8(ascii: "S"): nanoseconds = 1_000_000_000
        case UInt8(ascii: "m"): nanoseconds = 1_000_000
        case UInt8(ascii: "u"): nanoseconds = 1_000
        case UInt8(ascii: "n"): nanoseconds = 1
        default: return nil
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: nanoseconds)
        return overflow ? .max : product
    }
}
