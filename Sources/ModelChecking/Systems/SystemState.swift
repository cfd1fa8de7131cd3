/// A state of a whole system, as numbers: of each process the number of its local state, then how many faults
/// there have been, then the messages on their way. `SystemView` says what the numbers stand for.
///
/// Numbers differ from run to run.
public struct SystemState: Hashable, Sendable {
    @usableFromInline var words: [UInt32]
}

/// One thing that may happen in a system.
public struct SystemAction: Hashable, Sendable {
    public enum Kind: UInt8, Sendable {
        case delivery
        /// A delivery that leaves the message where it is.
        case duplicate
        case loss
        case request
        case timer
        /// What was handed over becomes durable.
        case durability
        /// A crash and the restart.
        case crash
    }

    public let kind: Kind
    private let place: UInt8
    private let peer: UInt8
    /// The place of a message among the words; the number of a request or timer; a count of what is durable.
    let operand: UInt32

    /// The place among the processes of the one to which it happens; of a loss, of the receiver.
    public var process: Int { Int(place) }
    /// The place of the sender, where it is about a message.
    public var sender: Int? { peer == UInt8.max ? nil : Int(peer) }

    @inline(__always) init(_ kind: Kind, _ process: Int, _ operand: UInt32, from sender: Int? = nil) {
        self.kind = kind
        place = UInt8(truncatingIfNeeded: process)
        peer = sender.map { UInt8(truncatingIfNeeded: $0) } ?? UInt8.max
        self.operand = operand
    }
}

extension Fairness<SystemAction> {
    /// Each process takes its steps, whatever they are, but for what goes wrong.
    public static func eachProcess(_ count: Int) -> [Fairness] {
        (0..<count).map { index in
            .weak("process \(index + 1)") { $0.process == index && !$0.isFault }
        }
    }
}

extension Fairness<SystemAction> {
    /// What was sent from one place to another arrives.
    public static func delivery(from sender: Int, to receiver: Int) -> Fairness {
        .weak("channel \(sender + 1)→\(receiver + 1)") {
            $0.kind == .delivery && $0.sender == sender && $0.process == receiver
        }
    }
}

extension SystemAction {
    public var isFault: Bool { kind == .loss || kind == .duplicate || kind == .crash }
}

/// How many faults there have been, where that is limited.
struct FaultCounts {
    private(set) var word: UInt32

    init(_ word: UInt32) { self.word = word }

    var crashes: Int { Int(word & 0xFF) }
    var losses: Int { Int(word >> 8 & 0xFF) }
    var duplicates: Int { Int(word >> 16 & 0xFF) }

    mutating func countCrash() { word += 1 }
    mutating func countLoss() { word += 1 << 8 }
    mutating func countDuplicate() { word += 1 << 16 }
}

/// The messages on their way, behind the head of a state's words: channel by channel in the order of sending, or
/// where there is none, in an order that depends on the messages and not on their numbers, so that searches go
/// the same way in every run.
struct NetworkWords: Sendable {
    let network: SystemOptions.Network
    /// Where they begin.
    let start: Int
    /// By number of a message.
    let marks: GrowingList<Fingerprint>

    private var isOrdered: Bool { network == .fifo || network == .overtaking }

    /// What messages are sorted by; the lower bits are the channel.
    @inline(__always) private func rank(_ word: UInt32) -> UInt64 {
        let channel = UInt64(MessageWord.channel(word))
        if isOrdered { return channel }
        let mark = marks.pointer(MessageWord.message(word)).pointee.low
        return mark & ~UInt64(MessageWord.channelMask) | channel
    }

    /// Puts a message where it belongs.
    @inline(__always) func insert(_ word: UInt32, into words: inout [UInt32]) {
        var place = words.count
        let rank = rank(word)
        while place > start, self.rank(words[place - 1]) > rank { place -= 1 }
        if network == .everSent, place > start, words[place - 1] == word { return }
        words.insert(word, at: place)
    }

    /// Puts all in order anew, as after senders and receivers were renamed. Those of one channel keep theirs.
    func sort(_ words: inout [UInt32]) {
        let start = start
        words.withUnsafeMutableBufferPointer { words in
            // There are few, and most are in order.
            for next in stride(from: start + 1, to: words.count, by: 1) {
                let word = words[next]
                let rank = rank(word)
                var place = next
                while place > start, self.rank(words[place &- 1]) > rank {
                    words[place] = words[place &- 1]
                    place &-= 1
                }
                words[place] = word
            }
        }
    }

    /// Whether the message at `place` may come next. Of equal ones in a row the first does.
    @inline(__always) func isNext(_ place: Int, in words: [UInt32]) -> Bool {
        guard place > start else { return true }
        return network == .fifo
            ? MessageWord.channel(words[place - 1]) != MessageWord.channel(words[place])
            : words[place - 1] != words[place]
    }
}
