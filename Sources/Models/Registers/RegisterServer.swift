import Automata
import ModelChecking

/// A server of a register as the register models run it: a value that takes one message at a time.
///
/// Servers are named 0..<servers, clients from `servers` on. A client's number names its one put as well,
/// and the value that it puts, because each puts once.
protocol RegisterServer: Hashable, Sendable, Fingerprinted {
    /// What servers say to each other; at most 32 bits, so that a message with its ends is one word.
    associatedtype Message: RawRepresentable<UInt32>, Sendable

    init(number: Int, of servers: Int)

    /// Takes a message. False when the server did not even look at it: then it stays in the network.
    mutating func receive(_ message: RegisterMessage<Message>, from: Int, to outbox: inout Outbox<Message>)
        -> Bool

    static func describe(_ message: Message) -> String
}

/// What a client did not put: the value of a register at first.
let initialValue = 0

/// What is said in a register's system. Requests are numbered; a value is the number of the client that put
/// it, or `initialValue`, which is never a client's.
enum RegisterMessage<Internal: RawRepresentable<UInt32> & Sendable>: Sendable {
    case put(request: Int, value: Int)
    case get(request: Int)
    case putOK(request: Int)
    case getOK(request: Int, value: Int)
    case between(Internal)
}

/// What a step sends, from the process that takes it.
struct Outbox<Internal: RawRepresentable<UInt32> & Sendable> {
    let sender: Int
    var envelopes: [Envelope] = []

    mutating func send(_ message: RegisterMessage<Internal>, to receiver: Int) {
        envelopes.append(Envelope(message, from: sender, to: receiver))
    }

    /// To every server but the sender.
    mutating func broadcast(_ message: Internal, among servers: Int) {
        for server in 0..<servers where server != sender { send(.between(message), to: server) }
    }
}

/// A message on its way, as one word: sender, receiver, kind and content. The order of the words is the
/// order in which deliveries are tried.
struct Envelope: Hashable, Comparable, Sendable {
    let word: UInt64

    private enum Kind: UInt64 { case put, get, putOK, getOK, between }

    init<Internal>(_ message: RegisterMessage<Internal>, from sender: Int, to receiver: Int) {
        let (kind, content): (Kind, UInt32) =
            switch message {
            case .put(let request, let value): (.put, UInt32(request << 8 | value))
            case .get(let request): (.get, UInt32(request << 8))
            case .putOK(let request): (.putOK, UInt32(request << 8))
            case .getOK(let request, let value): (.getOK, UInt32(request << 8 | value))
            case .between(let message): (.between, message.rawValue)
            }
        word = UInt64(sender) << 56 | UInt64(receiver) << 48 | kind.rawValue << 40 | UInt64(content)
    }

    var sender: Int { Int(word >> 56) }
    var receiver: Int { Int(word >> 48 & 0xFF) }

    func message<Internal>(_: Internal.Type = Internal.self) -> RegisterMessage<Internal> {
        let content = UInt32(truncatingIfNeeded: word)
        let (request, value) = (Int(content >> 8), Int(content & 0xFF))
        switch Kind(rawValue: word >> 40 & 0xFF) {
        case .put: return .put(request: request, value: value)
        case .get: return .get(request: request)
        case .putOK: return .putOK(request: request)
        case .getOK: return .getOK(request: request, value: value)
        case .between:
            if let message = Internal(rawValue: content) { return .between(message) }
            fallthrough
        case nil: preconditionFailure("\(String(word, radix: 16)) is no envelope")
        }
    }

    static func < (a: Envelope, b: Envelope) -> Bool { a.word < b.word }
}
