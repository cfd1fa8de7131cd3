import Automata
import WriteAheadLog

/// Who this process is, so that members agree on everybody's number without talking.
struct Identity: Hashable, Sendable {
    struct Member: Hashable, Sendable {
        var id: ProcessID
        var name: String
        var peerURLs: [String]
    }

    var clusterID: UInt64
    var memberID: ProcessID
    /// All members of the options, in ascending order of their ids.
    var members: [Member]
    /// Whether the process joins a cluster that exists, and has not learnt its configuration.
    var isJoining: Bool

    /// Sentences about options that are passed over because the data directory says otherwise.
    var notices: [String] = []

    /// Who a data directory belongs to decides, once it belongs to somebody: then the options that describe a first
    /// start (the initial cluster, its token and state, the advertised peer URLs) are passed over, with a notice
    /// where they would have made another member or cluster. Refused is only a directory of one member under the
    /// address of another, since both would then run as the same.
    ///
    /// - Parameter first: what the directory says about its first start; nil where an earlier version made it.
    static func settled(
        _ options: ServerOptions, owner: DataDirectory.Identity?, first: FirstMembers?,
        askClusterID: ([PeerURL]) throws -> UInt64
    ) throws -> Identity {
        guard let owner else { return try Identity(options, owner: nil, askClusterID: askClusterID) }
        let told = try? Identity(options, owner: owner, origin: first?.origin)
        var identity = Identity(
            clusterID: owner.clusterID, memberID: ProcessID(owner.memberID),
            members: first?.members ?? told?.members ?? [],
            isJoining: first?.isJoining ?? (options.clusterState == .existing))
        if told?.clusterID == identity.clusterID, told?.memberID == identity.memberID { return identity }
        let name = identity.ownName
        let advertised = options.advertisePeerURLs.compactMap { try? PeerURL($0).description }.sorted()
        let confused = identity.members.first {
            $0.id != identity.memberID && $0.peerURLs.sorted() == advertised
        }
        if let confused {
            throw ServerError(
                .foreignDirectory,
                "\(options.dataDirectory) belongs to \(name) and the options are those of \(confused.name), which "
                    + "has the peer URLs \(advertised.joined(separator: ", ")): start each member with a directory "
                    + "of its own")
        }
        identity.notices.append(
            "\(options.dataDirectory) belongs to \(name), \(owner): what the options say otherwise about the initial "
                + "cluster, its token and state and the advertised peer URLs is passed over")
        return identity
    }

    private init(clusterID: UInt64, memberID: ProcessID, members: [Member], isJoining: Bool) {
        self.clusterID = clusterID
        self.memberID = memberID
        self.members = members
        self.isJoining = isJoining
    }

    /// What this member was called when its directory was made.
    private var ownName: String {
        members.first { $0.id == memberID }.map { "member \"\($0.name)\"" } ?? "a member"
    }

    /// A member's number comes from its sorted peer URLs and the cluster's token, the cluster's from the
    /// numbers of its first members. Who joins an existing cluster keeps the cluster id that its data
    /// directory has, or asks the others for it. Throws `ServerError.badOptions`.
    ///
    /// - Parameter origin: of a cluster that begins with a backup. It is part of the cluster's id, so that neither a
    ///   member that begins with nothing or another backup nor one of the cluster that the backup is of is ever taken
    ///   for one of its own.
    init(
        _ options: ServerOptions, owner: DataDirectory.Identity?, origin: UInt64? = nil,
        askClusterID: ([PeerURL]) throws -> UInt64 = { _ in throw ServerError(.failed, "nobody to ask") }
    ) throws {
        let members = try Identity.members(options)
        let named = members.filter { $0.name == options.name }
        guard let own = named.first else {
            throw ServerError(
                .badOptions, "the initial cluster does not name this member, \"\(options.name)\"")
        }
        guard named.count == 1 else {
            throw ServerError(.badOptions, "the initial cluster names \"\(options.name)\" twice")
        }
        let advertised = try options.advertisePeerURLs.map { try PeerURL($0).description }.sorted()
        guard advertised == own.peerURLs.sorted() else {
            throw ServerError(
                .badOptions,
                "the initial cluster gives \"\(options.name)\" the peer URLs "
                    + "\(own.peerURLs.joined(separator: ", ")), but it advertises "
                    + advertised.joined(separator: ", "))
        }
        self.members = members
        memberID = own.id
        isJoining = options.clusterState == .existing
        if !isJoining {
            clusterID = Identity.clusterID(
                members: members.map(\.id), token: options.clusterToken, origin: origin)
        } else if let owner {
            clusterID = owner.clusterID
        } else {
            let others = members.filter { $0.id != own.id }.flatMap(\.peerURLs)
            clusterID = try askClusterID(try others.map { try PeerURL($0) })
        }
    }

    private static func members(_ options: ServerOptions) throws -> [Member] {
        var initial = options.initialCluster
        if initial.isEmpty {
            initial = [.init(name: options.name, peerURLs: options.advertisePeerURLs)]
        }
        var members: [Member] = []
        for member in initial {
            guard !member.peerURLs.isEmpty else {
                throw ServerError(.badOptions, "member \"\(member.name)\" has no peer URL")
            }
            let urls = try member.peerURLs.map { try PeerURL($0).description }
            members.append(
                Member(
                    id: memberID(peerURLs: urls, token: options.clusterToken), name: member.name,
                    peerURLs: urls))
        }
        members.sort { $0.id < $1.id }
        for (member, next) in zip(members, members.dropFirst()) where member.id == next.id {
            throw ServerError(
                .badOptions,
                "members \"\(member.name)\" and \"\(next.name)\" have the same peer URLs")
        }
        return members
    }

    static func memberID(peerURLs: [String], token: String) -> ProcessID {
        var hash = IdentityHash()
        for url in peerURLs.sorted() { hash.add(url) }
        hash.add(token)
        return ProcessID(hash.value)
    }

    static func clusterID(members: [ProcessID], token: String, origin: UInt64? = nil) -> UInt64 {
        var hash = IdentityHash()
        for member in members.sorted() { hash.add(member.rawValue) }
        hash.add(token)
        if let origin { hash.add(origin) }
        return hash.value
    }
}

/// FNV-1a with a final mix: the same on every machine and in every version. Never zero, which stands for
/// "none" where ids are shown.
struct IdentityHash {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ text: String) {
        for byte in text.utf8 { add(byte) }
        add(UInt8(0))
    }

    mutating func add(_ number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            add(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    private mutating func add(_ byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }

    var value: UInt64 {
        var x = state
        x = (x ^ (x >> 33)) &* 0xff51_afd7_ed55_8ccd
        x = (x ^ (x >> 33)) &* 0xc4ce_b9fe_1a85_ec53
        x ^= x >> 33
        return x == 0 ? 1 : x
    }
}
