import Automata
import Simulation

/// The messages on their way in a scenario, mostly in order, as networks are.
struct Post<Message> {
    struct Letter {
        let message: Message
        let from: Int
        let to: Int
        /// In the recorded run.
        let number: Int
    }

    private(set) var letters: [Letter] = []
    /// How many of the oldest are drawn from.
    private let disorder = 4

    var isEmpty: Bool { letters.isEmpty }

    mutating func add(_ message: Message, from: Int, to: Int, number: Int) {
        letters.append(Letter(message: message, from: from, to: to, number: number))
    }

    mutating func next(_ random: inout SeededRandom) -> Letter? {
        guard !letters.isEmpty else { return nil }
        return letters.remove(at: random.index(min(letters.count, disorder)))
    }

    /// A process crashes: of what it sent, only that arrives which the coin lets.
    mutating func crash(_ process: Int, _ random: inout SeededRandom) {
        var left: [Letter] = []
        for letter in letters where letter.from != process || random.coin() { left.append(letter) }
        letters = left
    }
}
