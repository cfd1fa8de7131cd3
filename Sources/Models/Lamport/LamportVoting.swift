import Automata
import ModelChecking

/// Lamport's voting algorithm, Paxos without messages: an acceptor looks at what others have done.
/// (Lamport, Voting, the TLA+ module of 2019.)
///
/// All votes at one ballot are for one value. So the state has for each ballot that value, from 1, or 0
/// while nobody has voted, and a bit for each acceptor that has; and for each acceptor the ballot below which
/// it will not vote, from 1, or 0 while there is none.
struct LamportVoting<Packed: PackedState & Fingerprinted>: Model {
    typealias State = Packed

    enum Action: Sendable {
        case raise(acceptor: Int, ballot: Int)
        case vote(acceptor: Int, ballot: Int, value: Int)
    }

    let size: LamportSize
    private let valueBits: Int
    private let maxBits: Int

    /// `nil` when a state does not fit.
    init?(_ size: LamportSize) {
        self.size = size
        valueBits = bitWidth(of: size.values + 1)
        maxBits = bitWidth(of: size.ballots + 1)
        let bits = size.ballots * (valueBits + size.acceptors) + size.acceptors * maxBits
        guard bits <= Packed.bitWidth else { return nil }
    }

    func initialStates() -> [Packed] { [0] }

    private func value(_ state: Packed, _ b: Int) -> Int {
        state.field(b * (valueBits + size.acceptors), valueBits)
    }
    private func votes(_ state: Packed, _ b: Int) -> Int {
        state.field(b * (valueBits + size.acceptors) + valueBits, size.acceptors)
    }
    private func maxPlace(_ a: Int) -> Int { size.ballots * (valueBits + size.acceptors) + a * maxBits }
    /// -1 for none.
    private func maxBallot(_ state: Packed, _ a: Int) -> Int { state.field(maxPlace(a), maxBits) - 1 }

    func addActions(in state: Packed, to actions: inout [Action]) {
        for b in 0..<size.ballots {
            let safe = safeValues(at: b, in: state)
            for a in 0..<size.acceptors {
                let highest = maxBallot(state, a)
                if b > highest { actions.append(.raise(acceptor: a, ballot: b)) }
                guard b >= highest, votes(state, b) & 1 << a == 0 else { continue }
                for value in 0..<size.values where safe & 1 << value != 0 {
                    actions.append(.vote(acceptor: a, ballot: b, value: value))
                }
            }
        }
    }

    /// The values that some quorum shows to be safe at `b` and that no vote at `b` contradicts, a bit for
    /// each. A quorum shows it when all of it has come to `b`, and none of it has voted below `b` or its
    /// latest vote there was for the value.
    private func safeValues(at b: Int, in state: Packed) -> Int {
        var reporting = 0
        var safe = 0
        for voted in -1..<b {
            var here = 0
            for a in 0..<size.acceptors
            where maxBallot(state, a) >= b && lastVote(state, a, below: b) == voted {
                here += 1
            }
            reporting += here
            guard here > 0, reporting >= size.quorumSize else { continue }
            safe |= voted < 0 ? 1 << size.values - 1 : 1 << (value(state, voted) - 1)
        }
        return value(state, b) == 0 ? safe : safe & 1 << (value(state, b) - 1)
    }

    private func lastVote(_ state: Packed, _ a: Int, below b: Int) -> Int {
        var c = b - 1
        while c >= 0, votes(state, c) & 1 << a == 0 { c -= 1 }
        return c
    }

    func successor(of state: Packed, by action: Action) -> Packed? {
        var next = state
        switch action {
        case .raise(let a, let b):
            next.setField(maxPlace(a), maxBits, to: b + 1)
        case .vote(let a, let b, let value):
            next.setField(b * (valueBits + size.acceptors), valueBits, to: value + 1)
            next.setBit(b * (valueBits + size.acceptors) + valueBits + a)
            next.setField(maxPlace(a), maxBits, to: b + 1)
        }
        return next
    }

    var properties: [Property<Packed>] {
        [
            .always("agreement") { chosen(in: $0).nonzeroBitCount <= 1 },
            .always("invariant") { votesAreSafe(in: $0) },
            .sometimes("chosen") { chosen(in: $0) != 0 },
        ]
    }

    private func chosen(in state: Packed) -> Int {
        var chosen = 0
        for b in 0..<size.ballots where votes(state, b).nonzeroBitCount >= size.quorumSize {
            chosen |= 1 << (value(state, b) - 1)
        }
        return chosen
    }

    /// Where anything was voted for, some quorum has voted at every lower ballot for the same value or never
    /// will vote there.
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

    func describe(_ action: Action, in state: Packed) -> String {
        switch action {
        case .raise(let a, let b): "a\(a + 1) will vote at no ballot below \(b)"
        case .vote(let a, let b, let value): "a\(a + 1) votes for v\(value + 1) at ballot \(b)"
        }
    }

    func actor(of action: Action) -> String? {
        switch action {
        case .raise(let a, _), .vote(let a, _, _): "a\(a + 1)"
        }
    }

    func describe(_ state: Packed) -> String {
        parts(of: state).map { "\($0.name): \($0.text)" }.joined(separator: "; ")
    }

    func parts(of state: Packed) -> [StatePart] {
        (0..<size.acceptors).map { a in
            let cast = (0..<size.ballots).filter { votes(state, $0) & 1 << a != 0 }
                .map { "v\(value(state, $0)) at \($0)" }
            let highest = maxBallot(state, a)
            return StatePart(
                name: "a\(a + 1)",
                text: "\(highest < 0 ? "no ballot" : "ballot \(highest)"), "
                    + (cast.isEmpty ? "no votes" : "voted for \(cast.joined(separator: ", "))"))
        }
    }
}
