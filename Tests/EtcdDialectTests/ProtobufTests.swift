import EtcdProtobuf
import Foundation
import SwiftProtobuf
import Testing

@testable import EtcdDialect

@Suite("Reading and writing protobuf") struct ProtobufTests {
    private func reader<R>(_ bytes: [UInt8], _ body: (inout ProtobufReader) throws -> R) rethrows -> R {
        try bytes.withUnsafeBytes { bytes in
            var reader = ProtobufReader(bytes)
            return try body(&reader)
        }
    }

    @Test("what is written is what the generated types read")
    func writes() throws {
        var writer = ProtobufWriter()
        writer.header(
            {
                var h = ResponseHeader()
                h.clusterID = .max
                h.memberID = 5
                h.term = 300
                return h
            }(),
            revision: 1 << 40)
        writer.bool(true, field: 3)
        writer.int64(-7, field: 4)
        let response = try EtcdRangeResponse(serializedBytes: writer.bytes)
        #expect(response.header.clusterID == .max && response.header.memberID == 5)
        #expect(response.header.revision == 1 << 40 && response.header.raftTerm == 300)
        #expect(response.more && response.count == -7)
    }

    @Test(
        "the length of a nested message is right whatever was expected", arguments: [0, 1, 127, 128, 20_000])
    func lengths(expected: Int) throws {
        for size in [0, 1, 100, 127, 128, 129, 16_383, 16_384, 70_000] {
            var writer = ProtobufWriter()
            writer.message(field: 1, expected: expected) {
                $0.bytes([UInt8](repeating: 7, count: size), field: 1)
            }
            writer.int64(9, field: 2)
            let read = try EtcdLeaseTimeToLiveResponse.with { $0.id = 9 }.serializedBytes() as [UInt8]
            #expect(writer.bytes.suffix(2).elementsEqual(read))
            // A put in an operation has the key as field 1.
            let outer = try EtcdCompare(serializedBytes: [0x1a] + writer.bytes.dropFirst().dropLast(2))
            let inner = try EtcdPutRequest(serializedBytes: outer.key)
            #expect(inner.key.count == size)
        }
    }

    @Test("fields that are not known are passed over, groups within groups too")
    func skips() throws {
        // 1: varint, 2: fixed64, 3: group{4: group{}, 5: fixed32}, 6: bytes, 7: varint
        let bytes: [UInt8] =
            [0x08, 0x96, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1b, 0x23, 0x24, 0x2d, 1, 2, 3, 4, 0x1c]
            + [0x32, 2, 9, 9, 0x38, 5]
        try reader(bytes) { reader in
            while let field = try reader.nextField() {
                if field == 7 { #expect(try reader.uint64() == 5) } else { try reader.skip() }
            }
        }
    }

    @Test(
        "what is no message is refused",
        arguments: [
            [0x0a], [0x0a, 5, 1], [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [0x08],
            [0x08, 0x80],
            [0x00], [0x0e], [0x0f], [0x0c], [0x0b], [0x0b, 0x14], [0x09, 1, 2], [0x0d, 1],
            [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ] as [[UInt8]])
    func refuses(bytes: [UInt8]) {
        #expect(throws: MalformedMessage.self) {
            try reader(bytes) { reader in
                while try reader.nextField() != nil { try reader.skip() }
            }
        }
    }

    @Test("a field of another kind than it should be is refused")
    func wrongKind() {
        #expect(throws: MalformedMessage(reason: "proto: wrong wireType = 0 for field 1")) {
            try reader([0x08, 5]) { reader in
                _ = try reader.nextField()
                _ = try reader.bytes()
            }
        }
    }

    @Test("random bytes are read or refused, never read beyond")
    func randomBytes() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            bytes.withUnsafeBytes { bytes in
                _ = try? KeyValueRequestDecoder.range(bytes)
                _ = try? KeyValueRequestDecoder.put(bytes)
                _ = try? KeyValueRequestDecoder.delete(bytes)
                _ = try? KeyValueRequestDecoder.compact(bytes)
                _ = try? KeyValueRequestDecoder.transaction(bytes, operationLimit: 128)
                _ = try? WatchRequest(bytes)
            }
        }
    }
}
