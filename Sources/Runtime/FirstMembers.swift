import Automata
import WriteAheadLog

/// What a member was told about its cluster when its data directory was made. From then on this counts and not what
/// the flags say, which an operator may have changed or left out since.
///
/// It is a small file of text, so that a person can tell directories apart; blanks and what is not printable stand
/// as `%` and two digits.
struct FirstMembers: Hashable, Sendable {
    static let fileName = "members"

    /// Whether the member was to join a cluster that existed.
    var isJoining: Bool
    var members: [Identity.Member]
    /// What tells the backup that the cluster begins with from every other; nil where it begins with nothing.
    var origin: UInt64?

    func encoded() -> [UInt8] {
        var text = "synod first members\nstate \(isJoining ? "existing" : "new")\n"
        if let origin { text += "origin \(hex(origin))\n" }
        for member in members {
            let words = [member.name] + member.peerURLs
            text += "member \(hex(member.id.rawValue)) "
            text += words.map(Self.escaped).joined(separator: " ") + "\n"
        }
        return Array("\(text)check \(hex(UInt64(CRC32C.check(Array(text.utf8)))))\n".utf8)
    }

    /// Throws `DataDirectoryError.damaged` unless the bytes are exactly what `encoded` made.
    init(decoding bytes: [UInt8], path: String) throws {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        isJoining = lines.count > 1 && lines[1] == "state existing"
        members = []
        for line in lines.dropFirst(2).dropLast() {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            if words.count == 2, words[0] == "origin" { origin = UInt64(words[1], radix: 16) }
            guard words.count >= 3, let id = UInt64(words[1], radix: 16) else { continue }
            members.append(
                .init(
                    id: ProcessID(id), name: Self.unescaped(words[2]),
                    peerURLs: words.dropFirst(3).map(Self.unescaped)))
        }
        guard bytes == encoded() else {
            throw DataDirectoryError(
                .damaged,
                "\(path) is damaged; it names the members that the cluster began with: copy it from a backup of "
                    + "this directory, or remove that file alone and start the member with the --initial-… flags "
                    + "that it was first started with")
        }
    }

    init(isJoining: Bool, members: [Identity.Member], origin: UInt64? = nil) {
        self.isJoining = isJoining
        self.members = members
        self.origin = origin
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            if byte > 0x20, byte < 0x7f, byte != UInt8(ascii: "%") {
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                escaped += "%" + (byte < 16 ? "0" : "") + hex(UInt64(byte))
            }
        }
        return escaped
    }

    private static func unescaped(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else {
                bytes.append(byte)
                continue
            }
            rest = rest.dropFirst(2)
            bytes.append(value)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
