import Testing

@testable import Automata

@Suite struct CRC32CTests {
    @Test("the vectors of RFC 3720 come out")
    func publishedVectors() {
        #expect(CRC32C.check(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.check([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.check([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.check(Array(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.check((0..<32).reversed()) == 0x113F_DB5C)
        #expect(CRC32C.check([]) == 0)
    }

    @Test("a check in pieces equals the check of the whole, wherever it is cut")
    func pieces() {
        let bytes = (0..<67).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
        let whole = CRC32C.check(bytes)
        for cut in 0...bytes.count {
            let head = CRC32C.check(Array(bytes[..<cut]))
            #expect(CRC32C.check(Array(bytes[cut...]), continuing: head) == whole)
        }
    }

    @Test("the same bytes after different beginnings never have the same check")
    func seeds() {
        let bytes = Array("some record".utf8)
        var seen = Set<UInt32>()
        for seed in UInt32(0)..<1000 { seen.insert(CRC32C.check(bytes, continuing: seed)) }
        #expect(seen.count == 1000)
    }
}
