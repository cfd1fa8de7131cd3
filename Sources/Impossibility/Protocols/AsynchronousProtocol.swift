/// A message on its way.
struct Envelope<Message: Hashable & Sendable>: Hashable, Sendable {
    let from: Int
    let to: Int
    let message: Message
}

/// A protocol for consensus on one bit in the model of Fischer, Lynch and Paterson (Impossibility of Distributed
/// Consensus with One Faulty Process, JACM 32(2), 1985): processes that do nothing but take a message and send some,
/// and a set of messages of which any may be next.
protocol AsynchronousProtocol: Sendable {
    associatedtype State: Hashable & Sendable
    associatedtype Message: Hashable & Sendable & CustomStringConvertible

    var processes: Int { get }
    /// How many processes have an input: the first so many.
    var inputs: Int { get }

    /// Everybody has begun.
    func start(_ inputs: [Bool]) -> (states: [State], sent: [Envelope<Message>])

    /// Every way in which the process can take the message: more than one where it tosses a coin.
    func receive(_ envelope: Envelope<Message>, _ state: State) -> [(state: State, sent: [Envelope<Message>])]

    func decision(_ state: State) -> Bool?
}

extension Bool {
    var bit: String { self ? "1" : "0" }
}
