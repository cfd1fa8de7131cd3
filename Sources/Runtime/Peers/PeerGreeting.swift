import Automata
import Coordination
import Paxos
import Replica

/// The first frame of a connection, from the side that made it.
///
///     dialling side                    listening side
///     greeting        ────────────►    is it for this member, from a member, of this cluster?
///                     ◄────────────    greeting answer: welcome, or why not
///     then, by purpose: replica messages and requests; or one checkpoint
///
/// A greeting names the formation of the sender's cluster, so that members of clusters that were started with
/// the same flags and formed apart never take each other for their own. An inquiry asks how the cluster was
/// formed instead, and its answer says so.
struct PeerGreeting: Hashable, Sendable {
    enum Purpose: UInt8, Sendable {
        /// Messages of the replica, requests and answers.
        case messages = 1
        case checkpoint = 2
        /// Asks who the other is and to which cluster it belongs; welcomed without any id being right.
        case inquiry = 3
        /// Messages of the replica that carry entries, so that nothing waits behind them.
        case bulk = 4
    }

    static let magic: UInt32 = 0x5045_5953
    /// Of greetings, their answers, and what every member understands. A peer of another one is refused.
    static let baseVersion: UInt16 = 2
    /// Up to which this program understands what is said between peers; a connection speaks the lower one of both
    /// sides.
    ///
    ///     2   the base
    ///     3   a checkpoint's head says its format, its tables and the versions of its spaces; the answer to a
    ///         greeting says which commands its sender understands
    static let latestVersion: UInt16 = 3

    var version = PeerGreeting.baseVersion
    /// The sender's `latestVersion`. It stands where an inquiry has its disk, which members that speak nothing later
    /// than the base leave empty and pass over; in an inquiry itself it is the base.
    var latest: UInt16
    var purpose: Purpose
    var clusterID: UInt64
    var sender: ProcessID
    var receiver: ProcessID
    /// The nonce by which the sender knows its cluster; of no meaning in an inquiry.
    var formation: UInt64
    /// In an inquiry about the formation: the disk that asks.
    var disk: DiskID?

    func encode(into bytes: inout [UInt8]) {
        bytes.appendLittleEndian(PeerGreeting.magic)
        bytes.appendLittleEndian(version)
        bytes.append(purpose.rawValue)
        bytes.appendLittleEndian(clusterID)
        bytes.appendLittleEndian(sender.rawValue)
        bytes.appendLittleEndian(receiver.rawValue)
        bytes.appendLittleEndian(formation)
        bytes.append(disk == nil ? 0 : 1)
        bytes.appendLittleEndian(disk?.rawValue ?? UInt64(latest))
    }

    init(
        purpose: Purpose, clusterID: UInt64, sender: ProcessID, receiver: ProcessID, formation: UInt64 = 0,
        disk: DiskID? = nil
    ) {
        self.formation = formation
        self.disk = disk
        latest = disk == nil ? PeerGreeting.latestVersion : PeerGreeting.baseVersion
        self.purpose = purpose
        self.clusterID = clusterID
        self.sender = sender
        self.receiver = receiver
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = PeerBodyReader(bytes)
        guard try reader.littleEndian(UInt32.self) == PeerGreeting.magic else {
            throw PeerProtocolError("a greeting that is not a peer's")
        }
        version = try reader.littleEndian()
        // Of another version nothing more is known than that it is one.
        latest = PeerGreeting.baseVersion
        guard version == PeerGreeting.baseVersion else {
            purpose = .messages
            (clusterID, sender, receiver, formation) = (0, ProcessID(0), ProcessID(0), 0)
            return
        }
        guard let purpose = Purpose(rawValue: try reader.littleEndian()) else {
            throw PeerProtocolError("a greeting of unknown purpose")
        }
        self.purpose = purpose
        clusterID = try reader.littleEndian()
        sender = ProcessID(try reader.littleEndian())
        receiver = ProcessID(try reader.littleEndian())
        formation = try reader.littleEndian()
        let hasDisk = try reader.byte()
        let number = try reader.littleEndian(UInt64.self)
        if hasDisk == 0 {
            latest = max(latest, UInt16(truncatingIfNeeded: number))
        } else {
            disk = DiskID(number)
        }
        try reader.end()
    }
}

struct PeerGreetingAnswer: Hashable, Sendable {
    enum Verdict: UInt8, Sendable {
        case welcome = 0
        case otherVersion = 1
        case otherCluster = 2
        /// The listening side is not the member that the greeting is for.
        case otherMember = 3
        /// The sender is no member as far as the listening side knows.
        case strangeSender = 4
        /// Both belong to clusters of the same name that were formed apart.
        case otherFormation = 5
        /// The listening side does not know yet how its cluster was formed.
        case notFormed = 6
    }

    var verdict: Verdict
    /// The listening side's `latestVersion`.
    var version = PeerGreeting.latestVersion
    /// The listening side's own.
    var clusterID: UInt64
    var member: ProcessID
    /// The nonce by which the listening side knows its cluster, if it does.
    var formation: UInt64 = 0
    /// The answer to an inquiry about the formation, when there is one.
    var news: FormationMessage?
    /// Which commands the listening side understands; told to whom welcome is and knows version 3.
    var commands: CommandVersions?

    /// To a peer of another version the answer ends where that of the first version did, so that it is
    /// understood.
    func encode(into bytes: inout [UInt8]) {
        bytes.append(verdict.rawValue)
        bytes.appendLittleEndian(version)
        bytes.appendLittleEndian(clusterID)
        bytes.appendLittleEndian(member.rawValue)
        guard verdict != .otherVersion else { return }
        bytes.appendLittleEndian(formation)
        var encoded: [UInt8] = []
        news?.encode(into: &encoded)
        bytes.appendCounted(encoded)
        if let commands { bytes += commands.encoded }
    }

    init(verdict: Verdict, clusterID: UInt64, member: ProcessID) {
        self.verdict = verdict
        self.clusterID = clusterID
        self.member = member
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = PeerBodyReader(bytes)
        guard let verdict = Verdict(rawValue: try reader.littleEndian()) else {
            throw PeerProtocolError("an answer to a greeting with an unknown verdict")
        }
        self.verdict = verdict
        version = try reader.littleEndian()
        clusterID = try reader.littleEndian()
        member = ProcessID(try reader.littleEndian())
        if verdict != .otherVersion {
            formation = try reader.littleEndian()
            let encoded = try reader.counted()
            if !encoded.isEmpty {
                news = try encoded.withUnsafeBytes { try FormationMessage(decoding: $0) }
            }
            if reader.remaining > 0 { commands = try CommandVersions(decoding: reader.rest()) }
        }
        try reader.end()
    }

    /// What both sides of a connection that is welcome understand.
    var agreedVersion: UInt16 { min(version, PeerGreeting.latestVersion) }

    /// What to tell the operator of the dialling side.
    func reason(for greeting: PeerGreeting) -> String {
        switch verdict {
        case .welcome: "it is welcome"
        case .otherVersion:
            "it speaks version \(version) of the peer protocol, this process \(greeting.version)"
        case .otherCluster:
            "it belongs to cluster \(hex(clusterID)), this process to \(hex(greeting.clusterID))"
        case .otherMember:
            "it is member \(hex(member.rawValue)), not \(hex(greeting.receiver.rawValue))"
        case .strangeSender:
            "it does not know a member \(hex(greeting.sender.rawValue))"
        case .otherFormation:
            "the clusters have the same name and were formed apart, it \(hex(formation)) and this process "
                + "\(hex(greeting.formation)): they hold different data, and must not be joined"
        case .notFormed:
            "it does not know yet how the cluster was formed"
        }
    }
}

/// Ids are shown as etcd shows them.
func hex(_ id: UInt64) -> String { String(id, radix: 16) }
