import Automata
import Coordination
import Paxos

/// The store made anew: without the room that it has to spare, or after a sync of it has failed. A copy is made beside
/// the store in use, brought up to date from the log, takes its place between two turns, and is then put where a restart
/// finds it:
///
///     copy ─► copied ─► catch up ─► copied … ─► switch (with the rest) ─► switched ─► place ─► placed
///
/// Until it is in place a restart finds the old store, so that no durable point is taken meanwhile and the log is not
/// trimmed. There is at most one copy.
struct StoreRenewal: Sendable {
    struct Copy: Sendable {
        let source: StoreCopySource
        let begun: Instant
        fileprivate(set) var stage = Stage.underWay
        /// Nobody wants it any more: another store has come, or what it was copied from cannot be relied on.
        fileprivate(set) var isOverthrown = false
    }

    enum Stage: Hashable, Sendable {
        /// With the host, which tells how far it has come.
        case underWay
        /// It may be switched in, and waits for the batch that is away.
        case waiting(StoreCopyStanding)
        /// It is the store, but not yet what a restart finds; that is tried again at the time, if there is one.
        case switched(StoreCopyStanding, retry: Instant?)
    }

    /// What is to become of a copy that has come so far.
    enum Step: Hashable, Sendable {
        case discard
        case catchUp
        /// Until the batch that is away is back.
        case wait
        case switchIn
    }

    /// What is applied to a copy at the switch itself, and what at a time before it.
    static let switchEntries = 256
    static let catchUpBytes = 64 << 20
    /// After which what found no room is tried again.
    static let pause = TimeSpan.seconds(1)

    private(set) var copy: Copy?
    /// A restart finds everything up to here.
    private(set) var stored: Slot
    /// The store is to be made anew from what a restart finds, then.
    private var rebuild: Instant?
    /// Who asked for it.
    private var waiters: [ClientToken] = []

    init(stored: Slot) { self.stored = stored }

    /// Whether a copy is to take the place of the store: the durable point comes with it.
    var isUnderWay: Bool { copy?.isOverthrown == false }

    var isSwitched: Bool {
        if case .switched? = copy?.stage { return true }
        return false
    }

    mutating func note(stored slot: Slot) { stored = max(stored, slot) }

    // MARK: who wants it

    /// True when a copy of the store as it is now is to be begun. One that is under way serves as well, and so does the
    /// one that is made from the durable point, as nothing else can be relied on until then.
    mutating func ask(_ client: ClientToken) -> Bool {
        waiters.append(client)
        return copy == nil && rebuild == nil
    }

    /// A sync of the store has failed: nobody knows what of it is on the disk, nor whether what is read in it is what
    /// was written. What was copied of it is good for nothing.
    mutating func demandRebuild(at now: Instant) {
        rebuild = now
        if !isSwitched { copy?.isOverthrown = true }
    }

    func isRebuildDue(at now: Instant) -> Bool { copy == nil && rebuild.map { $0 <= now } == true }

    mutating func begin(_ source: StoreCopySource, at now: Instant) {
        precondition(copy == nil, "a copy is begun beside another")
        if source == .point { rebuild = nil }
        copy = Copy(source: source, begun: now)
    }

    // MARK: the copy

    /// The copy lacks so many of the slots that are applied, of which so many are at hand. It takes the store's place
    /// only where a restart would find in it all that the log has given up.
    mutating func advance(
        _ standing: StoreCopyStanding, lacks: UInt64, atHand: Int, isBatchAway: Bool
    ) -> Step {
        guard isUnderWay else { return .discard }
        copy!.stage = .underWay
        let isClose = lacks <= UInt64(Self.switchEntries) && lacks == UInt64(atHand)
        guard isClose, standing.durable >= stored else { return .catchUp }
        guard isBatchAway else { return .switchIn }
        copy!.stage = .waiting(standing)
        return .wait
    }

    /// What waited for the batch that is back.
    mutating func resume() -> StoreCopyStanding? {
        guard case .waiting(let standing)? = copy?.stage else { return nil }
        copy!.stage = .underWay
        return standing
    }

    mutating func switched(_ standing: StoreCopyStanding) {
        precondition(isUnderWay && !isSwitched, "nobody wants a copy to be the store: \(standing)")
        copy!.stage = .switched(standing, retry: nil)
    }

    /// There was no room to put the copy in place. It is in use, and goes on being tried to be found by a restart.
    mutating func placeLater(at now: Instant) {
        guard case .switched(let standing, _)? = copy?.stage else { return }
        copy!.stage = .switched(standing, retry: now + Self.pause)
    }

    /// True once when the copy is to be put in place again.
    mutating func takePlacing(at now: Instant) -> Bool {
        guard case .switched(let standing, let retry?)? = copy?.stage, retry < now else { return false }
        copy!.stage = .switched(standing, retry: nil)
        return true
    }

    mutating func rebuildLater(at now: Instant) { rebuild = now + Self.pause }

    // MARK: its end

    /// Another store, which a checkpoint has brought, has come in the place of the one that is copied. True when the
    /// host has a copy in hand and waits to hear what is to become of it.
    mutating func overthrow(stored slot: Slot) -> Bool {
        precondition(!isSwitched, "a checkpoint replaces a copy that is not in place")
        stored = slot
        rebuild = nil
        copy?.isOverthrown = true
        return resume() != nil
    }

    /// The copy is no more, for better or worse; those to be told. Who asked for what became of nothing waits on, where
    /// it is about to be made in another way.
    mutating func end() -> [ClientToken] {
        copy = nil
        return rebuild == nil ? takeWaiters() : []
    }

    mutating func takeWaiters() -> [ClientToken] {
        defer { waiters = [] }
        return waiters
    }

    var hasWaiters: Bool { !waiters.isEmpty }
}
