import Testing

@testable import EtcdDialect

@Suite struct StreamDigestTests {
    private func digest(_ text: String, piece: Int = .max) -> String {
        let hash = StreamDigest()
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            hash.update(Array(rest.prefix(piece)))
            rest = rest.dropFirst(piece)
        }
        return hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("the digests are those of FIPS 180-4's examples")
    func examples() {
        #expect(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    }

    @Test("the digest does not depend on how the bytes come", arguments: [1, 3, 63, 64, 65, 127, 1000])
    func pieces(piece: Int) {
        let text = String(repeating: "0123456789", count: 117)
        #expect(digest(text, piece: piece) == digest(text))
    }
}
