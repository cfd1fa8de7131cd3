import Automata

extension DataDirectory {
    /// Whose a directory is, what its disk is called, and how the member's cluster began.
    public struct Identity: Hashable, Sendable, CustomStringConvertible {
        public var clusterID: UInt64
        public var memberID: UInt64
        /// Drawn at random when the directory is made. 0 in one that was made before disks had names.
        public var disk: UInt64
        /// What makes the member one of a cluster: from then on it may have promised something to others.
        public var formation: Formation?

        public init(clusterID: UInt64, memberID: UInt64, disk: UInt64 = 0, formation: Formation? = nil) {
            self.clusterID = clusterID
            self.memberID = memberID
            self.disk = disk
            self.formation = formation
        }

        public var description: String {
            "member \(String(memberID, radix: 16)) of cluster \(String(clusterID, radix: 16))"
        }

        /// Whether the directory was made before disks had names and formations were written down. Such a
        /// member may have promised something from its first start on.
        public var isOfFirstFormat: Bool { disk == 0 }
    }

    /// The first members of a cluster and their disks, under a number that no other formation has.
    public struct Formation: Hashable, Sendable {
        public struct Founder: Hashable, Sendable {
            public var member: UInt64
            public var disk: UInt64

            public init(member: UInt64, disk: UInt64) {
                self.member = member
                self.disk = disk
            }
        }

        public var nonce: UInt64
        public var founders: [Founder]

        public init(nonce: UInt64, founders: [Founder]) {
            self.nonce = nonce
            self.founders = founders
        }
    }
}

// The identity file is text, so that a person can tell directories apart.
extension DataDirectory.Identity {
    private static let newestFormat = 2

    var encoded: [UInt8] {
        var text = """
            synod data directory
            format \(isOfFirstFormat ? 1 : Self.newestFormat)
            cluster \(String(clusterID, radix: 16))
            member \(String(memberID, radix: 16))

            """
        if !isOfFirstFormat { text += "disk \(String(disk, radix: 16))\n" }
        if let formation {
            text += "formation \(String(formation.nonce, radix: 16))\n"
            for founder in formation.founders {
                text += "founder \(String(founder.member, radix: 16)) \(String(founder.disk, radix: 16))\n"
            }
        }
        return Array("\(text)check \(String(CRC32C.check(Array(text.utf8)), radix: 16))\n".utf8)
    }

    init(decoding bytes: [UInt8], path: String) throws {
        let damaged = DataDirectoryError(
            .damaged,
            "\(path) is damaged. It says whose this directory is and which promises it may have to keep: put "
                + "the file back as it was. Do not start the member with another directory under its name; see "
                + "\"A lost disk\" in docs/operations")
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: " ")
        }
        func number(_ name: Substring) -> UInt64? {
            lines.first { $0.count == 2 && $0[0] == name }.flatMap { UInt64($0[1], radix: 16) }
        }
        guard lines.count >= 2, lines[1].count == 2, lines[1][0] == "format", let format = Int(lines[1][1])
        else { throw damaged }
        guard format <= Self.newestFormat else {
            throw DataDirectoryError(
                .foreign, "\(path) has format \(format), which a newer version of this program wrote")
        }
        guard let cluster = number("cluster"), let member = number("member") else { throw damaged }
        self.init(clusterID: cluster, memberID: member, disk: number("disk") ?? 0)
        if let nonce = number("formation") {
            let founders = lines.filter { $0.count == 3 && $0[0] == "founder" }.compactMap { line in
                UInt64(line[1], radix: 16).flatMap { member in
                    UInt64(line[2], radix: 16).map {
                        DataDirectory.Formation.Founder(member: member, disk: $0)
                    }
                }
            }
            formation = DataDirectory.Formation(nonce: nonce, founders: founders)
        }
        guard bytes == encoded else { throw damaged }
    }
}
