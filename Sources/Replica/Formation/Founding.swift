import Automata
import Paxos

/// Agreement on how a cluster began, before anybody votes.
///
/// ```
///   lowest first member              every other
///     │ question ───────────────────────▶│
///     │◀──────────── empty (its disk) ───│     until all have been heard within the last rounds
///     │ makes the formation durable      │
///     │◀─────────────────────── question │     asked again and again by whoever knows none
///     │ formed ─────────────────────────▶│ makes it durable
/// ```
///
/// What it guarantees, whatever crashes, and whoever loses its disk, at most a minority of the first members:
/// - nobody votes before a formation that names its disk is durable on that disk;
/// - there are never two formations that each have a quorum of voters. The member that forms a cluster has heard
///   every other first member say that it knew of no formation, in answer to a question of its present disk.
///   A disk holds one formation for ever, so voters of two formations that have the same disk in both do not
///   exist, and a quorum of each would have to share only members that lost theirs. Of those that did not, one
///   would have voted in the earlier formation before it said that it knew of none.
///
/// All first members have to be there, not just a quorum: a quorum of members that lost their disks beside one
/// that is down would otherwise form the cluster a second time, and lose what the first had acknowledged.
public struct Founding: Automaton, Hashable, Sendable {
    public struct Settings: Hashable, Sendable {
        public var process: ProcessID
        public var disk: DiskID
        /// Of the first members, this process among them or not, in ascending order.
        public var members: [ProcessID]
        /// What the cluster is to be known by should this process form it: random.
        public var nonce: UInt64
        /// Between two rounds of questions.
        public var interval: TimeSpan = .milliseconds(100)
        /// Whether the members are to form a new cluster. Where not, this process joins one that exists.
        public var isNew = true
        /// Of the first configuration.
        public var quorums = QuorumSystem.majority

        public init(process: ProcessID, disk: DiskID, members: [ProcessID], nonce: UInt64) {
            self.process = process
            self.disk = disk
            self.members = members.sorted()
            self.nonce = nonce
        }
    }

    public enum Input: Hashable, Sendable {
        case start
        case received(FormationMessage, from: ProcessID)
        /// Time for the next round of questions.
        case timerFired
        /// The formation last asked to be recorded is durable, together with everything else on the disk.
        case recorded
    }

    public enum Output: Hashable, Sendable {
        case send(FormationMessage, to: ProcessID)
        case setTimer(after: ClosedRange<TimeSpan>)
        /// Make this durable, then say `.recorded`.
        case record(Formation)
        /// The formation is known and durable: from now on this process takes part as it says.
        case begin(Formation)
    }

    /// A first member that knew of no formation.
    private struct Heard: Hashable {
        let process: ProcessID
        var disk: DiskID
        /// Rounds of questions since.
        var age = 0
    }

    /// What was heard longer ago than this many rounds must be heard again: a member may be made anew while
    /// the others wait.
    private static let roundsToBelieve = 3

    public let settings: Settings
    /// Known, and durable unless it is being recorded.
    public private(set) var formation: Formation?
    public private(set) var isRecording = false
    /// In ascending order; this process is not among them.
    private var heard: [Heard] = []

    /// `formation`: what this disk holds already; with one there is nothing left to do but answer.
    public init(settings: Settings, formation: Formation? = nil) {
        self.settings = settings
        self.formation = formation
    }

    private var others: [ProcessID] { settings.members.filter { $0 != settings.process } }

    /// First members that were not heard lately, in ascending order: the cluster waits for them.
    public var missing: [ProcessID] {
        others.filter { other in !heard.contains { $0.process == other } }
    }

    public mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .start:
            guard formation == nil else { return }
            ask(&outputs)
            formIfAllAreThere(&outputs)
        case .received(let message, let sender): onMessage(message, from: sender, &outputs)
        case .timerFired:
            guard formation == nil else { return }
            for index in heard.indices { heard[index].age += 1 }
            heard.removeAll { $0.age > Self.roundsToBelieve }
            ask(&outputs)
        case .recorded:
            guard isRecording, let formation else { return }
            isRecording = false
            outputs.append(.begin(formation))
        }
    }

    /// What a question is answered; nothing while a formation is on its way to the disk.
    public static func answer(
        to asking: DiskID, own disk: DiskID, formation: Formation?, isRecording: Bool
    ) -> FormationMessage? {
        if isRecording { return nil }
        return formation.map { .formed($0, asking: asking) } ?? .empty(disk: disk, asking: asking)
    }

    private mutating func ask(_ outputs: inout [Output]) {
        for other in others { outputs.append(.send(.question(disk: settings.disk), to: other)) }
        outputs.append(.setTimer(after: settings.interval...settings.interval + settings.interval))
    }

    private mutating func onMessage(
        _ message: FormationMessage, from sender: ProcessID, _ outputs: inout [Output]
    ) {
        switch message {
        case .question(let asking):
            let answer = Self.answer(
                to: asking, own: settings.disk, formation: formation, isRecording: isRecording)
            if let answer { outputs.append(.send(answer, to: sender)) }
        case .empty(let disk, let asking):
            // An answer to another disk says nothing about what its sender has learnt since.
            guard asking == settings.disk, formation == nil, others.contains(sender) else { return }
            heard.removeAll { $0.process == sender }
            heard.append(Heard(process: sender, disk: disk))
            heard.sort { $0.process < $1.process }
            formIfAllAreThere(&outputs)
        case .formed(let formation, let asking):
            guard asking == settings.disk, self.formation == nil else { return }
            record(formation, &outputs)
        }
    }

    private mutating func formIfAllAreThere(_ outputs: inout [Output]) {
        guard settings.isNew, formation == nil, settings.members.first == settings.process, missing.isEmpty
        else { return }
        var founders = heard.map { Configuration.MemberDisk($0.process, $0.disk) }
        founders.append(Configuration.MemberDisk(settings.process, settings.disk))
        guard
            let first = try? Configuration(
                epoch: 1, voters: settings.members, quorums: settings.quorums, disks: founders)
        else { preconditionFailure("\(settings.quorums) does not fit \(settings.members)") }
        record(Formation(nonce: settings.nonce, configuration: first), &outputs)
    }

    private mutating func record(_ formation: Formation, _ outputs: inout [Output]) {
        self.formation = formation
        isRecording = true
        heard = []
        outputs.append(.record(formation))
    }
}
