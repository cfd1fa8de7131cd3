import Automata

/// Records as framed bytes: four bytes of length, eight of checksum, then the record. A frame that was
/// written only in part, or whose bytes are damaged, ends the log: it and all after it were never said to
/// be durable.
public enum Framing {
    static let headerBytes = 12

    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash = StableHash()
        hash.combine(Array(bytes))
        return hash.value.low
    }

    static func append(_ value: UInt64, width: Int, to bytes: inout [UInt8]) {
        for i in 0..<width { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(i)))) }
    }

    static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    public static func framed(_ record: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(headerBytes + record.count)
        append(UInt64(record.count), width: 4, to: &frame)
        append(checksum(record[...]), width: 8, to: &frame)
        frame += record
        return frame
    }

    /// The intact records from the start, and how many bytes they take.
    public static func records(in bytes: [UInt8]) -> (records: [[UInt8]], intactBytes: Int) {
        var records: [[UInt8]] = []
        var position = 0
        while bytes.count - position >= headerBytes {
            let count = Int(number(bytes[position..<position + 4]))
            let start = position + headerBytes
            guard bytes.count - start >= count else { break }
            let record = bytes[start..<start + count]
            guard checksum(record) == number(bytes[position + 4..<start]) else { break }
            records.append(Array(record))
            position = start + count
        }
        return (records, position)
    }
}
