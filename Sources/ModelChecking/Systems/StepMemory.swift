import Synchronization

/// What a local state can do by itself, looked up for every state that a search expands. Its lists are owned
/// by whoever keeps the summary.
struct LocalSummary {
    let fingerprint: Fingerprint
    /// Numbers of requests and of timers.
    let requests: UnsafeBufferPointer<UInt32>
    let timers: UnsafeBufferPointer<UInt32>
    /// States handed over that are not durable.
    let undurable: UInt32
    let looksIntoInbox: Bool
}

/// What follows from one input in one local state.
struct StepOutcome {
    let local: UInt32
    /// Messages as words, without their sender, in the order of sending.
    let sends: UnsafeBufferPointer<UInt32>
}

/// Remembers what follows from every input in every local state, so that a core takes each of its steps once,
/// however many global states it is taken in. Any thread may ask.
final class StepMemory: @unchecked Sendable {
    private final class Stripe: Sendable {
        let table = Mutex(WordTable())
    }

    private static var stripeCount: Int { 64 }
    private let stripes = (0..<StepMemory.stripeCount).map { _ in Stripe() }
    private let outcomes = GrowingList<StepOutcome>()
    private let appending = Mutex(())

    init() {}

    deinit { for index in 0..<outcomes.count { outcomes[UInt32(index)].sends.deallocate() } }

    /// `input` names what happens, as `SystemInput` writes it.
    @inline(__always)
    func outcome(
        of local: UInt32, _ input: UInt32, compute: () -> (local: UInt32, sends: [UInt32])
    ) -> StepOutcome {
        let key = UInt64(local) << 32 | UInt64(input)
        let stripe = stripes[Int(truncatingIfNeeded: key ^ (key >> 32) &* 31) & (Self.stripeCount &- 1)]
        if let known = stripe.table.withLock({ $0.value(of: key) }) { return outcomes[known] }
        let (local, sends) = compute()
        return stripe.table.withLock { table in
            // Another thread may have been faster.
            if let known = table.value(of: key) { return outcomes[known] }
            let outcome = StepOutcome(local: local, sends: UnsafeBufferPointer.copy(sends))
            table.insert(key, appending.withLock { _ in outcomes.append(outcome) })
            return outcome
        }
    }
}

extension UnsafeBufferPointer<UInt32> {
    /// For whoever keeps it to deallocate.
    static func copy(_ words: [UInt32]) -> UnsafeBufferPointer<UInt32> {
        guard !words.isEmpty else { return UnsafeBufferPointer(start: nil, count: 0) }
        let buffer = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: words.count)
        _ = buffer.initialize(from: words)
        return UnsafeBufferPointer(buffer)
    }
}

/// An input as a word: what it is in the upper three bits, the rest below.
enum SystemInput {
    case received(message: UInt32, from: Int)
    case requested(UInt32)
    case timerFired(UInt32)
    case durable(count: UInt32)
    /// And starts again, as the process at that place.
    case crashed(process: Int)

    var word: UInt32 {
        switch self {
        case .received(let message, let from): message << MessageWord.processBits | UInt32(from)
        case .requested(let request): 1 << 29 | request
        case .timerFired(let timer): 2 << 29 | timer
        case .durable(let count): 3 << 29 | count
        case .crashed(let process): 4 << 29 | UInt32(process)
        }
    }
}

/// A message on its way as a word: its number, the place of its sender, and that of its receiver, so that the
/// lower bits name the channel.
@usableFromInline enum MessageWord {
    @inlinable static var processBits: UInt32 { 6 }
    @inlinable static var mostProcesses: Int { 1 << processBits }
    static var mostMessages: Int { 1 << 20 }
    static var channelMask: UInt32 { 1 << (2 * processBits) - 1 }

    @inline(__always) static func word(_ message: UInt32, from: Int, to: Int) -> UInt32 {
        message << (2 * processBits) | UInt32(truncatingIfNeeded: from) << processBits
            | UInt32(truncatingIfNeeded: to)
    }
    @inlinable static func message(_ word: UInt32) -> UInt32 { word >> (2 * processBits) }
    @inline(__always) static func channel(_ word: UInt32) -> UInt32 { word & channelMask }
    @inlinable static func from(_ word: UInt32) -> Int {
        Int(truncatingIfNeeded: word >> processBits) & (mostProcesses &- 1)
    }
    @inlinable static func to(_ word: UInt32) -> Int {
        Int(truncatingIfNeeded: word) & (mostProcesses &- 1)
    }
}
