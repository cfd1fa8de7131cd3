import Automata

/// Single-decree Paxos as one server that is proposer, acceptor and learner, for clients that put and get.
///
/// ```
///   client        server            others
///     │ put ───────▶│ prepare(b) ────▶│  b above theirs
///     │             │◀─ prepared(b, accepted)
///     │             │ accept(b, v) ──▶│  b not below theirs
///     │             │◀──── accepted(b)│
///     │◀───── putOK │ decided(b, v) ─▶│
/// ```
///
/// What it sends to itself it does at once. A server starts one ballot, for the first put that comes to it;
/// a get is answered only by a server that knows the chosen value. The rules are those of the Paxos example
/// of the model checker Stateright, so that the numbers of states can be compared.
struct PaxosServer: RegisterServer {
    /// A round and the server that leads it, as a number: rounds come first.
    typealias Ballot = UInt16
    /// 0 for nothing; otherwise a ballot and a proposal, in the order of ballots.
    typealias Vote = UInt32

    /// A proposal is the number of the client whose put it is. It is never 0, which stands for none.
    enum Message: RawRepresentable, Sendable {
        case prepare(Ballot)
        case prepared(Ballot, Vote)
        case accept(Ballot, proposal: UInt8)
        case accepted(Ballot)
        case decided(Ballot, proposal: UInt8)
    }

    private let number: UInt8
    private let servers: UInt8
    private var ballot: Ballot = 0
    private var proposal: UInt8 = 0
    private var isDecided = false
    /// The servers that have accepted at `ballot`, a bit for each.
    private var accepts: UInt8 = 0
    private var accepted: Vote = 0
    /// By server: what it reported for `ballot`, plus one; 0 while it has not.
    private var prepares = SIMD8<UInt32>.zero

    static let most = 8

    init(number: Int, of servers: Int) {
        precondition(servers <= Self.most)
        self.number = UInt8(number)
        self.servers = UInt8(servers)
    }

    private var majority: Int { Int(servers) / 2 + 1 }

    mutating func receive(
        _ message: RegisterMessage<Message>, from sender: Int, to outbox: inout Outbox<Message>
    ) -> Bool {
        if isDecided {
            guard case .get(let request) = message else { return false }
            outbox.send(.getOK(request: request, value: Int(accepted & 0xFF)), to: sender)
            return true
        }
        switch message {
        case .put(_, let value) where proposal == 0: onPut(value, &outbox)
        case .between(.prepare(let b)) where b > ballot:
            ballot = b
            outbox.send(.between(.prepared(b, accepted)), to: sender)
        case .between(.prepared(let b, let vote)) where b == ballot: onPrepared(vote, sender, &outbox)
        case .between(.accept(let b, let proposal)) where b >= ballot:
            ballot = b
            accepted = Self.vote(b, proposal)
            outbox.send(.between(.accepted(b)), to: sender)
        case .between(.accepted(let b)) where b == ballot: onAccepted(sender, &outbox)
        case .between(.decided(let b, let proposal)):
            ballot = b
            accepted = Self.vote(b, proposal)
            isDecided = true
        default: return false
        }
        return true
    }

    private mutating func onPut(_ value: Int, _ outbox: inout Outbox<Message>) {
        proposal = UInt8(value)
        ballot = (ballot >> 4 + 1) << 4 | Ballot(number)
        accepts = 0
        prepares = .zero
        prepares[Int(number)] = accepted + 1
        outbox.broadcast(.prepare(ballot), among: Int(servers))
    }

    /// Exactly with a majority the proposer chooses what to propose: the vote at the highest ballot, or its
    /// own client's value.
    private mutating func onPrepared(_ vote: Vote, _ sender: Int, _ outbox: inout Outbox<Message>) {
        prepares[sender] = vote + 1
        guard (0..<Self.most).count(where: { prepares[$0] > 0 }) == majority else { return }
        let highest = prepares.max() - 1
        if highest > 0 { proposal = UInt8(highest & 0xFF) }
        accepted = Self.vote(ballot, proposal)
        accepts |= 1 << number
        outbox.broadcast(.accept(ballot, proposal: proposal), among: Int(servers))
    }

    private mutating func onAccepted(_ sender: Int, _ outbox: inout Outbox<Message>) {
        accepts |= 1 << UInt8(sender)
        guard accepts.nonzeroBitCount == majority else { return }
        isDecided = true
        outbox.broadcast(.decided(ballot, proposal: proposal), among: Int(servers))
        outbox.send(.putOK(request: Int(proposal)), to: Int(proposal))
    }

    private static func vote(_ ballot: Ballot, _ proposal: UInt8) -> Vote {
        Vote(ballot) << 8 | Vote(proposal)
    }

    func combine(into hash: inout StableHash) {
        hash.combine(
            UInt64(ballot) << 48 | UInt64(proposal) << 40 | UInt64(accepts) << 32 | UInt64(accepted) << 1
                | (isDecided ? 1 : 0))
        for server in 0..<Int(servers) { hash.combine(UInt64(prepares[server])) }
    }

    static func describe(_ message: Message) -> String {
        func text(_ ballot: Ballot) -> String { "\(ballot >> 4).s\(ballot & 15)" }
        return switch message {
        case .prepare(let b): "prepare(\(text(b)))"
        case .prepared(let b, 0): "prepared(\(text(b)))"
        case .prepared(let b, let vote):
            "prepared(\(text(b)), v\(vote & 0xFF) at \(text(Ballot(vote >> 8))))"
        case .accept(let b, let proposal): "accept(\(text(b)), v\(proposal))"
        case .accepted(let b): "accepted(\(text(b)))"
        case .decided(let b, let proposal): "decided(\(text(b)), v\(proposal))"
        }
    }
}

extension PaxosServer.Message {
    // Twelve bits of ballot are enough: a server begins one ballot, so rounds are at most as many as servers.
    private static func packed(_ kind: UInt32, _ ballot: UInt16, _ vote: UInt32 = 0) -> UInt32 {
        kind << 28 | UInt32(ballot & 0xFF) << 20 | vote
    }

    var rawValue: UInt32 {
        switch self {
        case .prepare(let b): Self.packed(0, b)
        case .prepared(let b, let vote): Self.packed(1, b, vote)
        case .accept(let b, let proposal): Self.packed(2, b, UInt32(proposal))
        case .accepted(let b): Self.packed(3, b)
        case .decided(let b, let proposal): Self.packed(4, b, UInt32(proposal))
        }
    }

    init?(rawValue word: UInt32) {
        let ballot = UInt16(word >> 20 & 0xFF)
        let vote = word & 0xF_FFFF
        switch word >> 28 {
        case 0: self = .prepare(ballot)
        case 1: self = .prepared(ballot, vote)
        case 2: self = .accept(ballot, proposal: UInt8(truncatingIfNeeded: vote))
        case 3: self = .accepted(ballot)
        case 4: self = .decided(ballot, proposal: UInt8(truncatingIfNeeded: vote))
        default: return nil
        }
    }
}
