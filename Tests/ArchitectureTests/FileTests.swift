import Testing

@Suite("Files") struct FileTests {
    private let tree = SourceTree.package
    private let floors = Floors.package

    /// Generated, and not for reading.
    private static let generated = ["EtcdProtobuf"]

    @Test("a file is named after what it holds, never after a bag of things")
    func names() {
        for file in tree.sources + tree.tests where !Self.generated.contains(file.target) {
            #expect(
                file.name.wholeMatch(of: /[A-Z][A-Za-z0-9]*(\+[A-Z][A-Za-z0-9]*)?\.swift/) != nil,
                "\(file.path): write TypeName.swift or TypeName+Part.swift")
            for bag in ["Util", "Helper", "Common", "Manager", "Misc"] {
                #expect(!file.name.contains(bag), "\(file.path): \(bag) says nothing; name the thing")
            }
        }
    }

    /// Modules whose one public value carries their name; everything else in them is found without
    /// qualification, and their users import no second module with the same names.
    private static let namedAfterTheirValue = ["Replica", "WriteAheadLog", "LMDBStore"]

    @Test("no type is named like a module: the module's own names could not be reached any more")
    func noTypeNamedLikeItsModule() {
        for file in tree.sources {
            for (number, line) in file.code.enumerated() {
                // Most lines cannot match, which a word tells faster than the pattern.
                guard !line.isEmpty, !line.hasPrefix(" "),
                    let match = line.firstMatch(of: /^(?:\w+ )*(?:struct|enum|class|actor|protocol) (\w+)/)
                else { continue }
                #expect(
                    floors[String(match.1)] == nil || Self.namedAfterTheirValue.contains(String(match.1)),
                    "\(file.path):\(number + 1): \(match.1) is named like a module")
            }
        }
    }

    /// Most files are one screen or four; a file over the limit holds more than one thought.
    private static let longestFile = 600
    private static let longFile = 300

    @Test("no file is longer than its budget, and most are short")
    func lengths() {
        let files = (tree.sources + tree.tests).filter { !Self.generated.contains($0.target) }
        let long = files.filter { $0.lines.count > Self.longFile }.sorted { $0.lines.count > $1.lines.count }
        if !long.isEmpty {
            print("\(long.count) of \(files.count) files are longer than \(Self.longFile) lines:")
            for file in long { print("  \(file.lines.count) \(file.path)") }
        }
        for file in files {
            #expect(
                file.lines.count <= Self.longestFile,
                "\(file.path): \(file.lines.count) lines; split it by thoughts")
        }
        #expect(long.count * 5 <= files.count, "more than a fifth of the files are long")
    }

    @Test("no file speaks of a place on somebody's machine")
    func noMachinePaths() {
        // Put together here, so that this file does not name them either.
        let places = ["work", "root", "home"].map { "/" + $0 + "/" }
        for file in tree.sources + tree.tests {
            for (number, line) in file.lines.enumerated() {
                for place in places where line.contains(place) {
                    Issue.record("\(file.path):\(number + 1): \(place) is a place on one machine")
                }
            }
        }
        for path in ["Package.swift", "Makefile", "README.md", "docs/architecture.md", "docs/testing.md"] {
            let text = tree.text(path)
            for place in places { #expect(!text.contains(place), "\(path) names \(place)") }
        }
    }
}
