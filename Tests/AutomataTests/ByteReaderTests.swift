import Automata
import Testing

@Suite("Bytes") struct ByteReaderTests {
    private enum Failure: ByteReadingError, Equatable {
        case truncated, malformed
        case trailingBytes(Int)
    }

    private func read<Value>(
        _ bytes: [UInt8], _ body: (inout ByteReader<Failure>) throws -> Value
    ) throws -> Value {
        try bytes.withUnsafeBytes {
            var reader = ByteReader<Failure>($0)
            return try body(&reader)
        }
    }

    @Test("what is written is read, and the end is the end")
    func roundTrip() throws {
        var bytes: [UInt8] = [7]
        bytes.appendLittleEndian(0x0102 as UInt16)
        bytes.appendBigEndian(0x0102 as UInt16)
        let numbers: [UInt64] = [0, 1, 127, 128, 300, 1 << 56, 1 << 63, .max]
        for number in numbers { bytes.appendNumber(number) }
        bytes.appendString([9, 8])
        bytes += [5, 6]
        #expect(Array(bytes[1..<5]) == [2, 1, 1, 2])
        try read(bytes) { reader in
            #expect(try reader.byte() == 7)
            #expect(try reader.littleEndian(UInt16.self) == 0x0102)
            #expect(try reader.bigEndian(UInt16.self) == 0x0102)
            for number in numbers { #expect(try reader.number() == number) }
            #expect(try reader.string() == [9, 8])
            #expect(reader.remaining == 2)
            #expect(throws: Failure.trailingBytes(2)) { try reader.end() }
            #expect(Array(reader.rest()) == [5, 6])
            try reader.end()
        }
    }

    @Test("nothing is read past the end")
    func truncated() {
        #expect(throws: Failure.truncated) { try read([]) { try $0.byte() } }
        #expect(throws: Failure.truncated) {
            try read([1, 2, 3]) { try $0.littleEndian(UInt32.self) }
        }
        #expect(throws: Failure.truncated) {
            try read([1, 2, 3]) { try $0.bigEndian(UInt32.self) }
        }
        #expect(throws: Failure.truncated) { try read([0x80]) { try $0.number() } }
        #expect(throws: Failure.truncated) { try read([2, 0]) { try $0.string() } }
    }

    @Test(
        "a count that the bytes cannot fill is refused before anything is reserved",
        arguments: [3, .max] as [UInt64])
    func counts(_ count: UInt64) {
        var bytes: [UInt8] = []
        bytes.appendNumber(count)
        bytes += [0, 0]
        #expect(throws: Failure.truncated) { try read(bytes) { try $0.count() } }
        #expect(throws: Failure.truncated) { try read(bytes) { try $0.string() } }
        #expect(throws: Failure.truncated) {
            try read(bytes) { try $0.elements { try $0.byte() } }
        }
    }

    @Test("a number has one form, and at most 64 bits")
    func numbers() {
        for bytes: [UInt8] in [
            [0x80, 0], [0xFF, 0x80, 0], [UInt8](repeating: 0xFF, count: 9) + [2],
            [UInt8](repeating: 0xFF, count: 10) + [0],
        ] {
            #expect(throws: Failure.malformed) { try read(bytes) { try $0.number() } }
        }
    }
}
