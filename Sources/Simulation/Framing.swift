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

    public static func framed(_ record: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(headerBytes + record.count)
        frame.appendLittleEndian(UInt32(record.count))
        frame.appendLittleEndian(checksum(record[...]))
        frame += record
        return frame
    }

    /// The intact records from the start, and how many bytes they take.
    public static func records(in bytes: [UInt8]) -> (records: [[UInt8]], intactBytes: Int) {
        var records: [[UInt8]] = []
        var position = 0
        while bytes.count - position >= headerBytes {
            let (length, check) = bytes.withUnsafeBytes {
                ($0.littleEndian(UInt32.self, at: position), $0.littleEndian(UInt64.self, at: position + 4))
            }
            let count = Int(length)
            let start = position + headerBytes
            guard bytes.count - start >= count else { break }
            let record = bytes[start..<start + count]
            guard checksum(record) == check else { break }
            records.append(Array(record))
            position = start + count
        }
        return (records, position)
    }
}
