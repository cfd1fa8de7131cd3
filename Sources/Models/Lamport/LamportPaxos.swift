import Automata
import ModelChecking

/// Lamport's specification of Paxos by the set of all messages ever sent.
/// (Lamport, Paxos, the TLA+ module of 2019; Paxos Made Simple, 2001.)
///
/// ```
///   leader of b          acceptor a
///      │ 1a(b) ───────────▶│  b > maxBal[a]: maxBal[a] := b
///      │◀── 1b(a, b, vote) │
///      │ 2a(b, v) ────────▶│  b ≥ maxBal[a]: votes for v at b
///      │◀──── 2b(a, b, v)  │
/// ```
///
/// Nothing is ever taken out of the set, so that loss, repetition and every order are all covered. An
/// acceptor's variables follow from what it sent, at most one 1b and one 2b at each ballot, and a ballot has
/// at most one 2a. So for each ballot the state has
///
/// - a bit: 1a was sent;
/// - the value of the 2a, from 1, or 0 while there is none;
/// - a bit for each acceptor: its 2b was sent, for the value of the 2a;
/// - for each acceptor what its 1b reports: 0 when it sent none, 1 for no vote, 2 + c for a vote at ballot c.
struct LamportPaxos<Packed: PackedState & Fingerprinted>: Model {
    typealias State = Packed

    enum Action: Sendable {
        case begin(ballot: Int)
        case promise(acceptor: Int, ballot: Int)
        case propose(ballot: Int, value: Int)
        case vote(acceptor: Int, ballot: Int)
    }

    let size: LamportSize
    private let valueBits: Int
    private let reportBits: Int
    private let ballotBits: Int

    /// The bits that a state of this size needs.
    static func bits(for size: LamportSize) -> Int { size.ballots * Self(unchecked: size).ballotBits }

    /// `nil` when a state does not fit.
    init?(_ size: LamportSize) {
        guard Self.bits(for: size) <= Packed.bitWidth else { return nil }
        self.init(unchecked: size)
    }

    private init(unchecked size: LamportSize) {
        self.size = size
        valueBits = bitWidth(of: size.values + 1)
        reportBits = bitWidth(of: size.ballots + 1)
        ballotBits = 1 + valueBits + size.acceptors * (1 + reportBits)
    }

    func initialStates() -> [Packed] { [0] }

    // MARK: Fields

    @inline(__always) private func begun(_ state: Packed, _ b: Int) -> Bool { state.bit(b * ballotBits) }
    /// From 1; 0 for none.
    @inline(__always) private func value(_ state: Packed, _ b: Int) -> Int {
        state.field(b * ballotBits + 1, valueBits)
    }
    /// The acceptors that have voted at `b`, a bit for each.
    @inline(__always) private func votes(_ state: Packed, _ b: Int) -> Int {
        state.field(b * ballotBits + 1 + valueBits, size.acceptors)
    }
    @inline(__always) private func reportPlace(_ a: Int, _ b: Int) -> Int {
        b * ballotBits + 1 + valueBits + size.acceptors + a * reportBits
    }
    @inline(__always) private func report(_ state: Packed, _ a: Int, _ b: Int) -> Int {
        state.field(reportPlace(a, b), reportBits)
    }
    /// -1 for none.
    @inline(__always) private func maxBallot(_ state: Packed, _ a: Int) -> Int {
        var b = size.ballots - 1
        while b >= 0, votes(state, b) & 1 << a == 0, report(state, a, b) == 0 { b -= 1 }
        return b
    }
    @inline(__always) private func maxVote(_ state: Packed, _ a: Int) -> Int {
        var b = size.ballots - 1
        while b >= 0, votes(state, b) & 1 << a == 0 { b -= 1 }
        return b
    }

    // MARK: Steps

    func addActions(in state: Packed, to actions: inout [Action]) {
        for b in 0..<size.ballots {
            if !begun(state, b) { actions.append(.begin(ballot: b)) }
            if value(state, b) == 0 { addProposals(at: b, in: state, to: &actions) }
        }
        for a in 0..<size.acceptors {
            let highest = maxBallot(state, a)
            for b in max(highest, 0)..<size.ballots {
                if b > highest, begun(state, b) { actions.append(.promise(acceptor: a, ballot: b)) }
                if value(state, b) > 0, votes(state, b) & 1 << a == 0 {
                    actions.append(.vote(acceptor: a, ballot: b))
                }
            }
        }
    }

    /// A value may be proposed when some quorum of promises reports no vote at all, or reports it at the
    /// highest ballot at which it reports any. `reporting` counts the promises that could be of such a
    /// quorum, so no quorum has to be looked for.
    private func addProposals(at b: Int, in state: Packed, to actions: inout [Action]) {
        var reporting = 0
        var allowed = 0
        for voted in -1..<b {
            var here = 0
            for a in 0..<size.acceptors where report(state, a, b) == voted + 2 { here += 1 }
            reporting += here
            guard here > 0, reporting >= size.quorumSize else { continue }
            allowed |= voted < 0 ? 1 << size.values - 1 : 1 << (value(state, voted) - 1)
        }
        for value in 0..<size.values where allowed & 1 << value != 0 {
            actions.append(.propose(ballot: b, value: value))
        }
    }

    func successor(of state: Packed, by action: Action) -> Packed? {
        var next = state
        switch action {
        case .begin(let b): next.setBit(b * ballotBits)
        case .promise(let a, let b):
            next.setField(reportPlace(a, b), reportBits, to: maxVote(state, a) + 2)
        case .propose(let b, let value):
            next.setField(b * ballotBits + 1, valueBits, to: value + 1)
        case .vote(let a, let b): next.setBit(b * ballotBits + 1 + valueBits + a)
        }
        return next
    }

    // MARK: Promises

    var properties: [Property<Packed>] {
        [
            .always("agreement") { chosen(in: $0).nonzeroBitCount <= 1 },
            .always("invariant") { reportsAreVotes(in: $0) && votesAreSafe(in: $0) },
            .sometimes("chosen") { chosen(in: $0) != 0 },
        ]
    }

    /// The chosen values, a bit for each.
    private func chosen(in state: Packed) -> Int {
        var chosen = 0
        for b in 0..<size.ballots where votes(state, b).nonzeroBitCount >= size.quorumSize {
            chosen |= 1 << (value(state, b) - 1)
        }
        return chosen
    }

    /// What a 1b reports was voted for.
    private func reportsAreVotes(in state: Packed) -> Bool {
        for b in 0..<size.ballots {
            for a in 0..<size.acceptors {
                let report = report(state, a, b)
                if report >= 2, votes(state, report - 2) & 1 << a == 0 { return false }
            }
        }
        return true
    }

    /// Where anything was voted for, no other value is or can become chosen at a lower ballot: some quorum
    /// has voted there for the same value or never will vote there.
    private func votesAreSafe(in state: Packed) -> Bool {
        for b in stride(from: 1, to: size.ballots, by: 1) where votes(state, b) != 0 {
            for c in 0..<b {
                let voted = votes(state, c)
                var harmless = value(state, c) == value(state, b) ? voted : 0
                for a in 0..<size.acceptors where voted & 1 << a == 0 && maxBallot(state, a) > c {
                    harmless |= 1 << a
                }
                if harmless.nonzeroBitCount < size.quorumSize { return false }
            }
        }
        return true
    }

    // MARK: Words

    func describe(_ action: Action, in state: Packed) -> String {
        switch action {
        case .begin(let b): "ballot \(b) begins"
        case .promise(let a, let b): "a\(a + 1) promises ballot \(b)"
        case .propose(let b, let value): "v\(value + 1) is proposed at ballot \(b)"
        case .vote(let a, let b): "a\(a + 1) votes for v\(value(state, b)) at ballot \(b)"
        }
    }

    func actor(of action: Action) -> String? {
        switch action {
        case .begin(let b), .propose(let b, _): "leader of \(b)"
        case .promise(let a, _), .vote(let a, _): "a\(a + 1)"
        }
    }

    func describe(_ state: Packed) -> String {
        if state == 0 { return "no ballot has begun" }
        return parts(of: state).map { "\($0.name): \($0.text)" }.joined(separator: "; ")
    }

    func parts(of state: Packed) -> [StatePart] {
        (0..<size.ballots).filter { begun(state, $0) || value(state, $0) > 0 }.map { b in
            let proposed = value(state, b)
            let promised = (0..<size.acceptors).filter { report(state, $0, b) > 0 }.map { "a\($0 + 1)" }
                .joined(separator: ", ")
            let voted = (0..<size.acceptors).filter { votes(state, b) & 1 << $0 != 0 }.map { "a\($0 + 1)" }
                .joined(separator: ", ")
            return StatePart(
                name: "ballot \(b)",
                text: "promised by \(promised.isEmpty ? "nobody" : promised), "
                    + (proposed == 0
                        ? "nothing proposed"
                        : "v\(proposed) proposed, voted for by \(voted.isEmpty ? "nobody" : voted)"))
        }
    }
}

/// The constants of Lamport's specifications. A quorum is any `quorumSize` acceptors, more than half of them
/// unless said otherwise.
struct LamportSize: Hashable, Sendable {
    var acceptors: Int
    var values: Int
    /// Ballots are 0...maxBallot.
    var maxBallot: Int
    var quorumSize: Int

    init(acceptors: Int, values: Int, maxBallot: Int, quorumSize: Int? = nil) {
        self.acceptors = acceptors
        self.values = values
        self.maxBallot = maxBallot
        self.quorumSize = quorumSize ?? acceptors / 2 + 1
    }

    var ballots: Int { maxBallot + 1 }
}
