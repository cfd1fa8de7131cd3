import Automata

/// Reliable multicast to a group with sequence numbers and negative acknowledgements, in the order of each sender.
///
/// Guarantees, where a network may lose, repeat, delay and reorder messages, and processes may crash:
/// - integrity: a multicast is delivered at most once, and only if it was sent;
/// - validity: what a process that stays sends it delivers itself;
/// - agreement: what a process that stays delivers, all that stay deliver; with `.uniform`, also what a process
///   delivers that crashes right afterwards, as long as a majority stays;
/// - FIFO: the multicasts of one sender are delivered in the order in which it sent them;
/// - bounded memory: at most `window` multicasts of each sender are held.
///
/// ```
///   sender            member                     other member
///   ── data(3) ──────▶ has 1 2, delivers 3
///   ── data(3) ─ lost ─────────────────────────▶
///                      ── digest(3) ───────────▶ has 2
///                      ◀────── missing(3-3) ────
///                      ── data(3) ─────────────▶ delivers 3
///   ◀───────────────── digest(3) ── digest(3) ── everybody has 3: it is stable, and nobody holds it any longer
/// ```
///
/// Every member tells from time to time how far it has each sender's multicasts. Whoever learns that another has more
/// asks that one, so that a multicast survives its sender as soon as one process that stays has it. A multicast that
/// all members have is stable (Birman, Schiper and Stephenson, Lightweight Causal and Atomic Group Multicast, TOCS
/// 9(3), 1991, section 6) and dropped. A member that left counts no longer; who says so must be right, or that member
/// may miss what was dropped meanwhile.
public struct ReliableMulticast: MulticastMember {
    public enum Guarantee: Hashable, Sendable {
        /// Delivered on receipt.
        case reliable
        /// Delivered once a majority of the group is known to have it.
        case uniform
    }

    public typealias Message = MulticastMessage
    public typealias Input = MulticastInput<MulticastMessage>
    public typealias Output = MulticastOutput<MulticastMessage>

    struct Stream: Hashable, Sendable {
        /// What is held, from number `stable + 1` on; nil where one is missing. Never longer than the window.
        var held: [Payload?] = []
        /// Everybody has the multicasts up to this one.
        var stable: UInt64 = 0
        /// All up to this one are here.
        var complete: UInt64 = 0
        var delivered: UInt64 = 0
        /// Up to which the user is done with what was delivered, where it says so.
        var consumed: UInt64 = 0
        /// By member of the group, in its order: the digests as they came.
        var known: [UInt64]
    }

    public let process: ProcessID
    /// In ascending order, with those that departed.
    public let group: [ProcessID]
    private let guarantee: Guarantee
    private let window: Int
    private let waitsForUser: Bool
    private let interval: ClosedRange<TimeSpan>
    /// By member, in the order of the group.
    var streams: [Stream]
    private var hasDeparted: [Bool]
    private var lastNumber: UInt64 = 0
    private var hasRefused = false

    /// `waitsForUser`: a multicast counts as received only once the user has consumed it, so that a user which holds
    /// back what was delivered slows the senders down.
    public init(
        process: ProcessID, group: [ProcessID], guarantee: Guarantee = .reliable, window: Int = 64,
        waitsForUser: Bool = false,
        digestInterval: ClosedRange<TimeSpan> = .milliseconds(20) ... .milliseconds(40)
    ) {
        precondition(group.contains(process) && window > 0, "\(process) is not one of \(group)")
        self.process = process
        self.group = group.sorted()
        self.guarantee = guarantee
        self.window = window
        self.waitsForUser = waitsForUser
        interval = digestInterval
        streams = group.map { _ in Stream(known: group.map { _ in 0 }) }
        hasDeparted = group.map { _ in false }
    }

    public mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .start: outputs.append(.setTimer(after: interval))
        case .multicast(let payload): onMulticast(payload, &outputs)
        case .received(.data(let id, let payload), let sender): onData(id, payload, from: sender, &outputs)
        case .received(.digest(let counts), let sender): onDigest(counts, from: sender, &outputs)
        case .received(.missing(let sender, let numbers), let asker):
            onMissing(sender, numbers, from: asker, &outputs)
        case .timerFired: onTimer(&outputs)
        case .departed(let member): onDeparted(member, &outputs)
        }
    }

    /// The user is done with this multicast, and with all of its sender before it.
    public mutating func consume(_ id: MulticastID, into outputs: inout [Output]) {
        guard waitsForUser, let stream = index(id.sender), id.number <= streams[stream].delivered else {
            return
        }
        streams[stream].consumed = max(streams[stream].consumed, id.number)
        advance(stream, &outputs)
    }

    /// Multicasts that are held, over all senders.
    public var heldCount: Int { streams.reduce(0) { $0 + $1.held.count { $0 != nil } } }

    /// Whether the next multicast of this process will be taken.
    public var hasRoom: Bool { streams[own].held.count < window }

    private func index(_ member: ProcessID) -> Int? { group.firstIndex(of: member) }
    private var own: Int { index(process) ?? 0 }
}

// MARK: What comes

extension ReliableMulticast {
    private mutating func onMulticast(_ payload: Payload, _ outputs: inout [Output]) {
        guard hasRoom else {
            hasRefused = true
            return outputs.append(.refuse(payload))
        }
        lastNumber += 1
        let id = MulticastID(sender: process, number: lastNumber)
        for (member, other) in group.enumerated() where other != process && !hasDeparted[member] {
            outputs.append(.send(.data(id, payload), to: other))
        }
        hold(id, payload)
        advance(own, &outputs)
    }

    private mutating func onData(
        _ id: MulticastID, _ payload: Payload, from sender: ProcessID, _ outputs: inout [Output]
    ) {
        // Nobody knows more of this process's own than it does.
        guard let stream = index(id.sender), stream != own || id.number <= lastNumber else { return }
        hold(id, payload)
        // Its sender has it, and all before it.
        if sender == id.sender { learn(stream, stream, id.number) }
        advance(stream, &outputs)
    }

    /// A multicast that is here already, or lies beyond the window, is dropped; the latter is asked for again once
    /// there is room.
    mutating func hold(_ id: MulticastID, _ payload: Payload) {
        guard let stream = index(id.sender), id.number > streams[stream].complete,
            id.number - streams[stream].stable <= UInt64(window)
        else { return }
        let place = Int(id.number - streams[stream].stable) - 1
        while streams[stream].held.count <= place { streams[stream].held.append(nil) }
        streams[stream].held[place] = payload
    }

    private mutating func onDigest(_ counts: [UInt64], from sender: ProcessID, _ outputs: inout [Output]) {
        guard let member = index(sender), counts.count == group.count else { return }
        for stream in streams.indices {
            learn(stream, member, counts[stream])
            advance(stream, &outputs)
            let next = streams[stream].complete + 1
            if counts[stream] >= next {
                let last = min(counts[stream], streams[stream].stable + UInt64(window))
                if next <= last { outputs.append(.send(.missing(group[stream], next...last), to: sender)) }
            }
        }
    }

    private mutating func onMissing(
        _ sender: ProcessID, _ numbers: ClosedRange<UInt64>, from asker: ProcessID, _ outputs: inout [Output]
    ) {
        guard let stream = index(sender), index(asker) != nil else { return }
        let held = streams[stream]
        for (place, payload) in held.held.enumerated() {
            let number = held.stable + UInt64(place) + 1
            if let payload, numbers.contains(number), number <= held.complete {
                outputs.append(.send(.data(MulticastID(sender: sender, number: number), payload), to: asker))
            }
        }
    }

    private mutating func onTimer(_ outputs: inout [Output]) {
        let counts = streams.map { $0.known[own] }
        for (member, other) in group.enumerated() where other != process && !hasDeparted[member] {
            outputs.append(.send(.digest(counts), to: other))
        }
        outputs.append(.setTimer(after: interval))
    }

    private mutating func onDeparted(_ member: ProcessID, _ outputs: inout [Output]) {
        guard let member = index(member) else { return }
        hasDeparted[member] = true
        for stream in streams.indices { advance(stream, &outputs) }
    }
}

// MARK: What follows

extension ReliableMulticast {
    private mutating func learn(_ stream: Int, _ member: Int, _ count: UInt64) {
        streams[stream].known[member] = max(streams[stream].known[member], count)
    }

    /// Counts what is there, delivers what may be delivered, and drops what everybody has.
    private mutating func advance(_ stream: Int, _ outputs: inout [Output]) {
        while true {
            let place = Int(streams[stream].complete - streams[stream].stable)
            guard place < streams[stream].held.count, streams[stream].held[place] != nil else { break }
            streams[stream].complete += 1
        }
        streams[stream].known[own] = waitsForUser ? streams[stream].consumed : streams[stream].complete
        let deliverable = min(streams[stream].complete, held(stream, byAtLeast: quorum))
        while streams[stream].delivered < deliverable {
            let place = Int(streams[stream].delivered - streams[stream].stable)
            guard let payload = streams[stream].held[place] else { break }
            streams[stream].delivered += 1
            outputs.append(
                .deliver(MulticastID(sender: group[stream], number: streams[stream].delivered), payload))
        }
        dropStable(stream)
        if hasRefused, hasRoom {
            hasRefused = false
            outputs.append(.ready)
        }
    }

    private var quorum: Int { guarantee == .uniform ? group.count / 2 + 1 : 1 }

    /// The greatest number up to which so many members have the stream; those that departed count for what they had.
    private func held(_ stream: Int, byAtLeast count: Int) -> UInt64 {
        var known = streams[stream].known
        known[own] = streams[stream].complete
        return known.sorted(by: >)[count - 1]
    }

    private mutating func dropStable(_ stream: Int) {
        let counts = zip(streams[stream].known, hasDeparted).filter { !$1 }.map(\.0)
        let stable = min(counts.min() ?? 0, streams[stream].delivered)
        guard stable > streams[stream].stable else { return }
        streams[stream].held.removeFirst(Int(stable - streams[stream].stable))
        streams[stream].stable = stable
    }
}
