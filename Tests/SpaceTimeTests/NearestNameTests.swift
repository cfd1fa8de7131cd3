import Testing

@testable import TextForms

@Suite struct NearestNameTests {
    private let names = [
        "--seed", "--seeds", "--from", "--listen-client-urls", "--listen-peer-urls", "--data-dir",
    ]

    @Test(
        "a slip of the hand is understood",
        arguments: [
            ("--sed", "--seed"), ("--sede", "--seed"), ("--listen-client-url", "--listen-client-urls"),
            ("--listn-peer-urls", "--listen-peer-urls"), ("--data", "--data-dir"), ("--form", "--from"),
            ("--datadir", "--data-dir"),
        ])
    func slips(written: String, meant: String) { #expect(NearestName.of(written, in: names) == meant) }

    @Test("what resembles nothing is not guessed at", arguments: ["--x", "--processes", "", "-"])
    func nothing(written: String) {
        #expect(NearestName.of(written, in: names) == nil)
        #expect(NearestName.hint(written, in: names).isEmpty)
        #expect(NearestName.of(written, in: [String]()) == nil)
    }

    @Test(
        "the distance counts letters that are inserted, removed, replaced, or exchanged with their neighbour")
    func distances() {
        for (first, second, distance) in [
            ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "axc", 1),
            ("kitten", "sitting", 3), ("ca", "abc", 3),
        ] {
            #expect(NearestName.distance(first, second) == distance)
            #expect(NearestName.distance(second, first) == distance)
        }
    }
}
