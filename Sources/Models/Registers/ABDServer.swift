import Automata

/// A register that a majority of servers keeps.
/// (Attiya, Bar-Noy, Dolev, Sharing Memory Robustly in Message-Passing Systems, JACM 1995.)
///
/// ```
///   client         server              others
///     │ put, get ────▶│ query(r) ───────▶│
///     │               │◀── state(r, t, v)│   a majority: takes the newest, or above it for a put
///     │               │ record(r, t, v) ▶│   keeps it if it is newer
///     │               │◀─── recorded(r) ─│   a majority
///     │◀ putOK, getOK │
/// ```
///
/// A server serves one request at a time; it leaves others where they are. What it sends to itself it does
/// at once.
struct ABDServer: RegisterServer {
    /// A time stamp and a value, in the order of time stamps: a clock, the server that ticked it, the value.
    /// Stamps of different servers differ from the start.
    struct Copy: Hashable, Comparable, Sendable {
        let word: UInt32
        init(clock: Int, server: Int, value: Int) { word = UInt32(clock << 12 | server << 8 | value) }
        init(word: UInt32) { self.word = word }
        var clock: Int { Int(word >> 12) }
        var value: Int { Int(word & 0xFF) }
        var stamp: UInt32 { word >> 8 }
        static func < (a: Copy, b: Copy) -> Bool { a.word < b.word }
    }

    enum Message: RawRepresentable, Sendable {
        case query(request: Int)
        case state(request: Int, Copy)
        case record(request: Int, Copy)
        case recorded(request: Int)
    }

    private enum Phase: UInt8 { case idle, querying, recording }

    private let number: UInt8
    private let servers: UInt8
    private var copy: Copy
    // The rest is zero while the server is idle.
    private var phase = Phase.idle
    private var request: UInt8 = 0
    private var client: UInt8 = 0
    /// What is put while querying; what was got while recording; 0 otherwise, with `isPut` to tell.
    private var value: UInt8 = 0
    private var isPut = false
    /// The servers that have answered, a bit for each.
    private var answers: UInt8 = 0
    /// By server: what it answered to the query.
    private var copies = SIMD8<UInt32>.zero

    static let most = 8

    init(number: Int, of servers: Int) {
        precondition(servers <= Self.most)
        self.number = UInt8(number)
        self.servers = UInt8(servers)
        copy = Copy(clock: 0, server: number, value: initialValue)
    }

    private var majority: Int { Int(servers) / 2 + 1 }

    mutating func receive(
        _ message: RegisterMessage<Message>, from sender: Int, to outbox: inout Outbox<Message>
    ) -> Bool {
        switch message {
        case .put(let request, let value) where phase == .idle:
            begin(request, for: sender, putting: value, &outbox)
        case .get(let request) where phase == .idle:
            begin(request, for: sender, putting: nil, &outbox)
        case .between(.query(let request)):
            outbox.send(.between(.state(request: request, copy)), to: sender)
        case .between(.state(let request, let copy)) where phase == .querying && request == self.request:
            onState(copy, sender, &outbox)
        case .between(.record(let request, let copy)):
            outbox.send(.between(.recorded(request: request)), to: sender)
            keep(copy)
        case .between(.recorded(let request))
        where phase == .recording && request == self.request && answers & 1 << UInt8(sender) == 0:
            onRecorded(sender, &outbox)
        default: return false
        }
        return true
    }

    private mutating func begin(
        _ request: Int, for client: Int, putting value: Int?, _ outbox: inout Outbox<Message>
    ) {
        phase = .querying
        self.request = UInt8(request)
        self.client = UInt8(client)
        self.value = UInt8(value ?? 0)
        isPut = value != nil
        answers = 1 << number
        copies[Int(number)] = copy.word
        outbox.broadcast(.query(request: request), among: Int(servers))
    }

    private mutating func onState(_ copy: Copy, _ sender: Int, _ outbox: inout Outbox<Message>) {
        answers |= 1 << UInt8(sender)
        copies[sender] = copy.word
        guard answers.nonzeroBitCount == majority else { return }
        var newest = Copy(word: copies.max())
        if isPut {
            newest = Copy(clock: newest.clock + 1, server: Int(number), value: Int(value))
            value = 0
        } else {
            value = UInt8(newest.value)
        }
        phase = .recording
        answers = 1 << number
        copies = .zero
        keep(newest)
        outbox.broadcast(.record(request: Int(request), newest), among: Int(servers))
    }

    private mutating func onRecorded(_ sender: Int, _ outbox: inout Outbox<Message>) {
        answers |= 1 << UInt8(sender)
        guard answers.nonzeroBitCount == majority else { return }
        let (request, client, value, wasPut) = (Int(request), Int(client), Int(value), isPut)
        phase = .idle
        (self.request, self.client, self.value, isPut, answers) = (0, 0, 0, false, 0)
        outbox.send(wasPut ? .putOK(request: request) : .getOK(request: request, value: value), to: client)
    }

    private mutating func keep(_ other: Copy) {
        if other.stamp > copy.stamp { copy = other }
    }

    func combine(into hash: inout StableHash) {
        hash.combine(UInt64(copy.word) << 32 | UInt64(phase.rawValue) << 24 | UInt64(request) << 16)
        hash.combine(
            UInt64(client) << 24 | UInt64(value) << 16 | UInt64(answers) << 8 | (isPut ? 1 : 0))
        for server in 0..<Int(servers) { hash.combine(UInt64(copies[server])) }
    }

    static func describe(_ message: Message) -> String {
        func text(_ copy: Copy) -> String {
            let value = copy.value == initialValue ? "nothing" : "v\(copy.value)"
            return "\(copy.clock).s\(copy.stamp & 15), \(value)"
        }
        return switch message {
        case .query(let request): "query(\(request))"
        case .state(let request, let copy): "state(\(request), \(text(copy)))"
        case .record(let request, let copy): "record(\(request), \(text(copy)))"
        case .recorded(let request): "recorded(\(request))"
        }
    }
}

extension ABDServer.Message {
    // Two bits of kind, eight of request, 22 of clock, server and value.
    private static func packed(_ kind: UInt32, _ request: Int, _ copy: UInt32 = 0) -> UInt32 {
        kind << 30 | UInt32(request) << 22 | copy
    }

    var rawValue: UInt32 {
        switch self {
        case .query(let request): Self.packed(0, request)
        case .state(let request, let copy): Self.packed(1, request, copy.word)
        case .record(let request, let copy): Self.packed(2, request, copy.word)
        case .recorded(let request): Self.packed(3, request)
        }
    }

    init?(rawValue word: UInt32) {
        let request = Int(word >> 22 & 0xFF)
        let copy = ABDServer.Copy(word: word & 0x3F_FFFF)
        switch word >> 30 {
        case 0: self = .query(request: request)
        case 1: self = .state(request: request, copy)
        case 2: self = .record(request: request, copy)
        default: self = .recorded(request: request)
        }
    }
}
