import Automata
import ModelChecking
import Multicast

/// A member of a group with what happens to it: it multicasts so many times, and it may crash.
struct MulticastProcess<Member: StudiedMember>: CheckedProcess {
    typealias Input = CheckedInput<Message, Request, Never>
    typealias Output = CheckedOutput<Message, Never, NothingDurable>

    enum Message: Hashable, Sendable, CustomStringConvertible {
        case member(Member.Message)
        /// Sent by a process that crashes, for those that have to learn of it: they may at any time from then on.
        case obituary

        var description: String {
            switch self {
            case .member(let message): "\(message)"
            case .obituary: "the news of its crash"
            }
        }
    }

    enum Request: Hashable, Sendable {
        case multicast, tick, crash
        /// Without reason.
        case suspect(ProcessID)
    }

    /// What was delivered in a view. A group without views is in one all the time.
    struct Entry: Hashable, Sendable {
        let view: UInt64
        /// Empty where there are no views.
        let members: [ProcessID]
        var delivered: [MulticastID] = []
    }

    /// Of this process.
    struct Multicast: Hashable, Sendable {
        let view: UInt64
        /// What had been delivered in the view before.
        let causes: [MulticastID]
    }

    /// When a process does what it does from time to time.
    enum Ticking: Hashable, Sendable {
        /// At any moment.
        case always
        /// While nothing is on its way to it from anybody that it does not know to have crashed.
        case whenDrained
        case afterCrash
    }

    private(set) var member: Member
    let name: ProcessID
    let others: [ProcessID]
    let ticking: Ticking
    private var left: Int
    private var mayCrash: Bool
    private var maySuspect: [ProcessID]
    private(set) var log: [Entry] = []
    private(set) var multicasts: [Multicast] = []
    private(set) var isCrashed = false
    private(set) var hasStopped = false
    private(set) var hasLeft = false
    private var crashed: [ProcessID] = []
    private var lastTick: [MemberEffect<Member.Message>] = []

    init(
        _ member: Member, _ name: ProcessID, others: [ProcessID], multicasts: Int, mayCrash: Bool,
        maySuspect: [ProcessID] = [], ticking: Ticking = .afterCrash
    ) {
        self.member = member
        self.name = name
        self.others = others
        self.ticking = ticking
        self.mayCrash = mayCrash
        self.maySuspect = maySuspect
        left = multicasts
    }

    var delivered: [MulticastID] { log.flatMap(\.delivered) }

    /// Whether it has multicast as often as it was to.
    var hasMulticastAll: Bool { left == 0 }

    var requests: [Request] {
        guard !isCrashed, !hasStopped else { return [] }
        var requests: [Request] = maySuspect.map { .suspect($0) }
        var copy = member
        if left > 0, !copy.multicast().contains(.refuse) { requests.append(.multicast) }
        if hasNewTick, ticking != .whenDrained { requests.append(.tick) }
        if mayCrash { requests.append(.crash) }
        return requests
    }

    var looksIntoInbox: Bool { ticking == .whenDrained && hasNewTick }

    func requests(in inbox: [CheckedMessage<Message>]) -> [Request] {
        let isDrained = inbox.allSatisfy { one in
            guard !crashed.contains(one.from) || one.message == .obituary else { return true }
            var copy = self
            var outputs: [Output] = []
            copy.step(.received(one.message, from: one.from), at: .zero, into: &outputs)
            return copy == self
        }
        return isDrained ? [.tick] : []
    }

    /// Whether time makes it say something that it did not say the last time.
    var hasNewTick: Bool {
        let isTime = ticking != .afterCrash || !crashed.isEmpty && member.needsTime
        guard isTime, !isCrashed, !hasStopped else { return false }
        var copy = member
        return copy.tick() != lastTick || copy != member
    }

    mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        guard !isCrashed else { return }
        switch input {
        case .started:
            log.append(Entry(view: 0, members: []))
            let effects = member.start()
            carryOut(effects, &outputs)
        case .received(.member(let message), let sender):
            let effects = member.receive(message, from: sender)
            carryOut(effects, &outputs)
        case .received(.obituary, let sender):
            if !crashed.contains(sender) { crashed = (crashed + [sender]).sorted() }
            let effects = member.missed(sender)
            carryOut(effects, &outputs)
        case .requested(.multicast):
            left -= 1
            if let entry = log.last {
                multicasts.append(Multicast(view: entry.view, causes: entry.delivered))
            }
            let effects = member.multicast()
            carryOut(effects, &outputs)
        case .requested(.tick):
            lastTick = member.tick()
            carryOut(lastTick, &outputs)
        case .requested(.suspect(let other)):
            maySuspect.removeAll { $0 == other }
            let effects = member.missed(other)
            carryOut(effects, &outputs)
        case .requested(.crash):
            isCrashed = true
            for other in others { outputs.append(.send(.obituary, to: other)) }
        case .timerFired, .durable: break
        }
    }

    private mutating func carryOut(_ effects: [MemberEffect<Member.Message>], _ outputs: inout [Output]) {
        for effect in effects {
            switch effect {
            case .send(let message, let receiver):
                if !crashed.isEmpty || !Member.isRequest(message) {
                    outputs.append(.send(.member(message), to: receiver))
                }
            case .deliver(let id): log[log.count - 1].delivered.append(id)
            case .install(let view):
                if log.first?.view == 0 { log.removeAll() }
                log.append(Entry(view: view.number, members: view.members))
            case .stop(let hasLeft):
                hasStopped = true
                self.hasLeft = hasLeft
            case .refuse: break
            }
        }
    }
}
