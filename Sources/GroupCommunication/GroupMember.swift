import Automata
import Multicast
import Paxos

/// A member of a group with views and virtual synchrony (Birman and Joseph, Exploiting Virtual Synchrony in Distributed
/// Systems, SOSP 1987): members come, leave and crash, and all see the same sequence of views; those that go from one
/// view to the next together have delivered the same multicasts in between.
///
/// ```
///   somebody is suspected, wants to join or to leave
///   first member  ── wedge ──▶ all             nobody sends or receives within the view any more
///                 ◀── report ── all            what each has
///                 ── consensus of the view's members on who goes on and what they have had together ──
///   each          delivers what it lacks of that, then installs the next view
/// ```
///
/// The view's members decide by Paxos (`SynodProcess`), so that there is one sequence of views whatever is suspected
/// wrongly: where a group is cut in two only the side with a majority goes on, the other waits, and finds itself
/// excluded once it hears of the others. Whoever is excluded, or crashed, may join again under another name.
///
/// Within a view multicasts go by `ReliableMulticast` and are delivered in the promised order (`ViewOrder`). Suspicions
/// come from outside, as from `FailureDetector`; `MonitoredGroupMember` joins the two.
public struct GroupMember: Automaton, Hashable, Sendable {
    public enum Input: Hashable, Sendable {
        case start
        case multicast(Payload)
        case received(GroupMessage, from: ProcessID)
        case timerFired
        case suspected(ProcessID)
        /// It was suspected wrongly.
        case trusted(ProcessID)
        /// This process wants to leave. What it multicast before is delivered.
        case leave
    }

    public enum Output: Hashable, Sendable {
        case send(GroupMessage, to: ProcessID)
        /// Numbers start from 1 in each view.
        case deliver(MulticastID, Payload)
        /// What is delivered from now on is of this view.
        case install(View)
        case setTimer(after: ClosedRange<TimeSpan>)
        /// Too much of this process's is on its way, or a view is changing, or it is not a member. Nothing was sent.
        case refuse(Payload)
        /// There is room again after a refusal.
        case ready
        /// This process is no member any more. It still answers those who ask what followed the view in which it left;
        /// a host that goes on carrying messages for a while spares them waiting for a majority without it.
        case stop(Reason)
    }

    public enum Reason: Hashable, Sendable {
        case left
        /// The others went on without this process, which they could not reach.
        case excluded
    }

    public struct Settings: Hashable, Sendable {
        public var order = MulticastOrder.fifo
        public var guarantee = ReliableMulticast.Guarantee.reliable
        /// How many multicasts of one member may be on their way.
        public var window = 64
        public var interval: ClosedRange<TimeSpan> = .milliseconds(20) ... .milliseconds(40)

        public init() {}
        public init(
            order: MulticastOrder, guarantee: ReliableMulticast.Guarantee = .reliable, window: Int = 64
        ) {
            self.order = order
            self.guarantee = guarantee
            self.window = window
        }
    }

    /// Deliberate errors, for the tests that show that the rules are needed.
    package enum Flaw: Hashable, Sendable {
        /// The next view is installed without what the others have had.
        case skipsFlush
        /// `SequencerOrder.Flaw.ordersAgain`.
        case ordersAgain
    }

    /// What a view needs, which begins anew with each.
    struct Membership: Hashable, Sendable {
        let view: View
        var transport: ReliableMulticast
        var order: ViewOrder
        var consensus: SynodProcess
        var isWedged = false
        /// Whether this process changes the view.
        var isChanging = false
        var hasProposed = false
        /// By member, as the one who changes the view collects them.
        var reports: [Holdings?]
        /// Of this process, multicast and not delivered here yet.
        var underWay = 0
        var joining: [ProcessID] = []
        var leaving: [ProcessID] = []
        var suspects: [ProcessID] = []

        /// Who changes the view: the first of those that are not suspected.
        var leader: ProcessID? { view.members.first { !suspects.contains($0) } }
    }

    struct Change: Hashable, Sendable {
        let before: View
        let succession: Payload
    }

    enum Stage: Hashable, Sendable {
        /// Asking these for membership.
        case joining([ProcessID])
        case member(Membership)
        case stopped
    }

    public let process: ProcessID
    let settings: Settings
    let flaw: Flaw?
    var stage: Stage
    var isLeaving = false
    var hasRefused = false
    /// What was decided last, for those that have not heard.
    var latest: Change?

    /// One of those that found the group: all of them start with the same first view.
    public init(process: ProcessID, founders: [ProcessID], settings: Settings = Settings()) {
        self.init(process: process, founders: founders, settings: settings, flaw: nil)
    }

    package init(process: ProcessID, founders: [ProcessID], settings: Settings = Settings(), flaw: Flaw?) {
        self.process = process
        self.settings = settings
        self.flaw = flaw
        stage = .stopped
        stage = .member(membership(of: View(founders: founders)))
    }

    /// One that joins a group, of which it knows some members. Its name must never have been that of a member.
    public init(process: ProcessID, contacts: [ProcessID], settings: Settings = Settings()) {
        self.process = process
        self.settings = settings
        flaw = nil
        stage = .joining(contacts.filter { $0 != process })
    }

    public var view: View? { if case .member(let membership) = stage { membership.view } else { nil } }

    /// Whether the view is coming to its end.
    public var isChanging: Bool {
        if case .member(let membership) = stage { membership.isWedged } else { false }
    }

    /// Multicasts that are held for others or wait for their turn.
    public var heldCount: Int {
        guard case .member(let membership) = stage else { return 0 }
        return membership.transport.heldCount + membership.order.heldBack.count
    }

    public var heldBack: [MulticastID] {
        if case .member(let membership) = stage { membership.order.heldBack } else { [] }
    }

    public mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch (input, stage) {
        case (.multicast(let payload), .stopped): outputs.append(.refuse(payload))
        case (.received(let message, let sender), .stopped): helpAfterwards(message, from: sender, &outputs)
        case (_, .stopped): break
        case (_, .member(var membership)):
            let next = step(&membership, input, at: now, &outputs)
            stage = next ?? .member(membership)
        case (let input, .joining(let contacts)): join(input, contacts, &outputs)
        }
    }

    func membership(of view: View) -> Membership {
        let isOrdered = settings.order == .sequencer || settings.order == .agreed
        return Membership(
            view: view,
            transport: ReliableMulticast(
                process: process, group: view.members, guarantee: settings.guarantee,
                // The order's own words need room beside the user's.
                window: isOrdered ? 2 * settings.window : settings.window,
                waitsForUser: settings.order == .causal, digestInterval: settings.interval),
            order: ViewOrder(
                settings.order, process: process, group: view.members,
                flaw: flaw == .ordersAgain ? .ordersAgain : nil),
            consensus: SynodProcess(process: process, configuration: view.configuration),
            reports: view.members.map { _ in nil })
    }

    private mutating func join(_ input: Input, _ contacts: [ProcessID], _ outputs: inout [Output]) {
        switch input {
        case .start, .timerFired:
            for contact in contacts { outputs.append(.send(.join(process), to: contact)) }
            outputs.append(.setTimer(after: settings.interval))
        case .received(.install(_, let payload), _):
            guard let next = Succession(payload)?.next, next.number > 0, next.contains(process) else {
                return
            }
            stage = .member(membership(of: next))
            latest = Change(before: View(number: next.number - 1, members: []), succession: payload)
            outputs.append(.install(next))
            if hasRefused { outputs.append(.ready) }
            hasRefused = false
        case .multicast(let payload):
            hasRefused = true
            outputs.append(.refuse(payload))
        case .leave:
            stage = .stopped
            outputs.append(.stop(.left))
        case .received, .suspected, .trusted: break
        }
    }
}
