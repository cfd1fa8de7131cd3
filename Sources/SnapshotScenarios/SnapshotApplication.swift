import Automata
import GlobalSnapshot

/// An application of which something is neither made nor lost, so that every snapshot can be counted.
public protocol SnapshotApplication: ReplayedApplication, Hashable, Sendable {
    /// Takes something out to send it away, chosen by `draw`; `nil` when there is nothing.
    mutating func take(_ draw: UInt64) -> Payload?
    mutating func receive(_ content: Payload)
    /// What is conserved, in these states and message contents together.
    static func inventory(states: [Payload], contents: [Payload]) -> [UInt64]
}

/// Passes tokens that have names, so that one which is lost is not made up for by one which is doubled.
public struct TokenApplication: SnapshotApplication {
    /// In ascending order.
    private var tokens: [UInt64]

    public init(tokens: [UInt64]) { self.tokens = tokens.sorted() }

    public var state: Payload { Payload(tokens.map(String.init).joined(separator: " ")) }

    public mutating func take(_ draw: UInt64) -> Payload? {
        guard !tokens.isEmpty else { return nil }
        return Payload(String(tokens.remove(at: Int(draw % UInt64(tokens.count)))))
    }

    public mutating func receive(_ content: Payload) {
        tokens = (tokens + Self.numbers(content)).sorted()
    }

    public mutating func replay(_ event: RunEvent) -> Bool {
        switch event.kind {
        case .received(_, let payload):
            receive(Transfer(payload).content)
            return true
        case .sent(_, let payload):
            guard let token = Self.numbers(Transfer(payload).content).first,
                let index = tokens.firstIndex(of: token)
            else { return false }
            tokens.remove(at: index)
            return true
        case .changed: return false
        case .recorded: return true
        }
    }

    private static func numbers(_ payload: Payload) -> [UInt64] {
        payload.description.split(separator: " ").compactMap { UInt64($0) }
    }

    public static func inventory(states: [Payload], contents: [Payload]) -> [UInt64] {
        (states + contents).flatMap(numbers).sorted()
    }
}

/// An account at each process, and transfers between them: the example of the paper's introduction, where a
/// snapshot taken carelessly counts money in transit twice or not at all.
public struct BankApplication: SnapshotApplication {
    private var balance: UInt64

    public init(balance: UInt64) { self.balance = balance }

    public var state: Payload { Payload(String(balance)) }

    public mutating func take(_ draw: UInt64) -> Payload? {
        guard balance > 0 else { return nil }
        let amount = draw % balance + 1
        balance -= amount
        return Payload(String(amount))
    }

    public mutating func receive(_ content: Payload) { balance += Self.amount(content) }

    public mutating func replay(_ event: RunEvent) -> Bool {
        switch event.kind {
        case .received(_, let payload):
            receive(Transfer(payload).content)
            return true
        case .sent(_, let payload):
            let amount = Self.amount(Transfer(payload).content)
            guard amount <= balance else { return false }
            balance -= amount
            return true
        case .changed: return false
        case .recorded: return true
        }
    }

    private static func amount(_ payload: Payload) -> UInt64 { UInt64(payload.description) ?? 0 }

    public static func inventory(states: [Payload], contents: [Payload]) -> [UInt64] {
        [(states + contents).reduce(0) { $0 + amount($1) }]
    }
}

/// What an application sends, with a number by which the run can follow it through a channel that does not
/// keep order.
struct Transfer {
    /// Counts what was sent through the channel, from 1.
    let number: UInt64
    let content: Payload

    init(number: UInt64, content: Payload) {
        self.number = number
        self.content = content
    }

    init(_ payload: Payload) {
        let parts = payload.description.split(separator: ":", maxSplits: 1)
        number = parts.first.flatMap { UInt64($0) } ?? 0
        content = Payload(parts.count > 1 ? String(parts[1]) : "")
    }

    var payload: Payload { Payload("\(number):\(content)") }
}
