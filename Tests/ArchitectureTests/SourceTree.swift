import Foundation

/// The files of the package, as text.
struct SourceTree {
    struct File {
        /// From the root of the package.
        let path: String
        let lines: [String]
        /// The same lines with comments and the insides of string literals blanked.
        let code: [String]

        var name: String { String(path.split(separator: "/").last ?? "") }
        /// The second component of the path: `Replica` in `Sources/Replica/Replica.swift`.
        var target: String { String(path.split(separator: "/")[1]) }
    }

    let root: URL
    let sources: [File]
    let tests: [File]

    static let package = SourceTree()

    private init() {
        root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        sources = Self.files(below: "Sources", root)
        tests = Self.files(below: "Tests", root)
    }

    private static func files(below folder: String, _ root: URL) -> [File] {
        let enumerator = FileManager.default.enumerator(atPath: root.appending(path: folder).path)
        var files: [File] = []
        while let path = enumerator?.nextObject() as? String {
            guard path.hasSuffix(".swift") else { continue }
            files.append(file("\(folder)/\(path)", root))
        }
        return files.sorted { $0.path < $1.path }
    }

    private static func file(_ path: String, _ root: URL) -> File {
        let text = (try? String(contentsOf: root.appending(path: path), encoding: .utf8)) ?? ""
        func lines(_ text: String) -> [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        return File(path: path, lines: lines(text), code: lines(blanked(text)))
    }

    func text(_ path: String) -> String {
        (try? String(contentsOf: root.appending(path: path), encoding: .utf8)) ?? ""
    }

    /// Replaces comments and the insides of string literals by spaces. Interpolations go with their literal.
    static func blanked(_ text: String) -> String {
        enum Place { case code, lineComment, blockComment, string, longString }
        var place = Place.code
        var depth = 0
        var result: [UInt8] = []
        let bytes = Array(text.utf8)
        var i = 0
        func starts(_ token: StaticString) -> Bool {
            guard i + token.utf8CodeUnitCount <= bytes.count else { return false }
            for offset in 0..<token.utf8CodeUnitCount where bytes[i + offset] != token.utf8Start[offset] {
                return false
            }
            return true
        }
        func keep(_ count: Int) {
            result += bytes[i..<min(bytes.count, i + count)]
            i += count
        }
        func blank(_ count: Int) {
            for byte in bytes[i..<min(bytes.count, i + count)] {
                result.append(byte == UInt8(ascii: "\n") ? byte : UInt8(ascii: " "))
            }
            i += count
        }
        while i < bytes.count {
            switch place {
            case .code:
                if starts("//") {
                    place = .lineComment
                } else if starts("/*") {
                    place = .blockComment
                    depth = 1
                    blank(2)
                } else if starts("\"\"\"") {
                    place = .longString
                    keep(3)
                } else if starts("\"") {
                    place = .string
                    keep(1)
                } else {
                    keep(1)
                }
            case .lineComment:
                if starts("\n") { place = .code } else { blank(1) }
            case .blockComment:
                if starts("/*") {
                    depth += 1
                    blank(2)
                } else if starts("*/") {
                    depth -= 1
                    blank(2)
                    if depth == 0 { place = .code }
                } else {
                    blank(1)
                }
            case .string:
                if starts("\\") {
                    blank(2)
                } else if starts("\"") || starts("\n") {
                    place = .code
                    keep(1)
                } else {
                    blank(1)
                }
            case .longString:
                if starts("\"\"\"") {
                    place = .code
                    keep(3)
                } else {
                    blank(1)
                }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
