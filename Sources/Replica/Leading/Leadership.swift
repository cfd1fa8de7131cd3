import Automata
import Paxos

/// What a leader knows beyond what every process does.
struct Leadership: Hashable, Sendable {
    let ballot: Ballot
    private(set) var tally: AcceptanceTally
    /// Everybody else that receives entries, in ascending order.
    var peers: [Peer] = []
    var ownAcceptances = OwnAcceptances()
    /// Of the entries that are proposed and not chosen.
    var bytesInFlight = 0

    /// The slot of a proposed configuration that is not chosen yet: nothing is proposed after it.
    private(set) var barrier: Slot?
    /// The first slot that this leader proposed in after its last phase 1, in the configuration in force.
    /// Before it is chosen, others may have chosen something that this leader does not know of.
    private(set) var readyFrom: Slot?
    /// What clients want to be chosen while nothing can be proposed.
    var held = HeldProposals()
    /// Which messages of each process it has seen that carried proposals.
    var forwards: [ForwardWindow] = []
    var transfer: LeaderTransfer?
    /// A transfer was begun: its target may be promised to at any time, so there is no lease any more.
    private(set) var hasForfeitedLease = false

    var rounds = QuorumRounds()
    var reads = WaitingReads()
    var doubts = Doubts()

    /// A process leads that holds everything up to `chosenUpTo` itself.
    init(_ ballot: Ballot, chosenUpTo: Slot) {
        self.ballot = ballot
        tally = AcceptanceTally(ballot: ballot)
        tally.record(ballot.process, upTo: chosenUpTo)
    }

    // MARK: What may be proposed

    /// Whether it has chosen something in its ballot and in the configuration in force.
    func isReady(at chosenUpTo: Slot) -> Bool {
        guard let readyFrom else { return false }
        return chosenUpTo >= readyFrom
    }

    /// Whether it neither waits for a configuration to be chosen and entered, nor hands over.
    var isOpen: Bool { barrier == nil && readyFrom != nil && transfer == nil }

    /// A change of configuration is proposed in this slot, and nothing after it.
    mutating func close(behind slot: Slot) { barrier = slot }

    /// Phase 1 is over, and this slot holds the first value of this leader's own.
    mutating func open(from slot: Slot) { readyFrom = slot }

    /// Another configuration is in force: it is led once phase 1 among it is over.
    mutating func enterConfiguration() {
        barrier = nil
        readyFrom = nil
        rounds.enterConfiguration()
    }

    // MARK: Handing over

    mutating func noteTold() {
        transfer?.noteTold()
        hasForfeitedLease = true
    }

    // MARK: What is chosen

    mutating func noteAcceptedHere(upTo slot: Slot) { tally.record(ballot.process, upTo: slot) }

    func chosenUpTo(in configuration: Configuration) -> Slot { tally.chosenUpTo(in: configuration) }

    /// Takes note of the rounds that a quorum has answered; this process has answered all.
    mutating func confirmRounds(in configuration: Configuration) {
        let confirmed = configuration.reachedByPhase2Quorum { voter in
            if voter == ballot.process { return rounds.current }
            return peer(voter).map { peers[$0].answeredRound } ?? 0
        }
        rounds.confirm(confirmed)
    }
}

// MARK: What the others have

extension Leadership {
    func peer(_ process: ProcessID) -> Int? { peers.firstIndex { $0.process == process } }

    /// How far this process is, whether or not that counts.
    func reached(by process: ProcessID) -> Slot {
        let followed = peer(process).map { peers[$0].followedUpTo } ?? .zero
        return max(tally[process], followed)
    }

    /// A peer for every member that has none. Nothing is known of it yet.
    mutating func addPeers(of configuration: Configuration, next: Slot, _ settings: Replica.Settings) {
        for process in (configuration.voters + configuration.learners).sorted()
        where process != ballot.process {
            if let index = peer(process) {
                peers[index].pulsesUntilGone = nil
                continue
            }
            let place = peers.firstIndex { $0.process > process } ?? peers.count
            let pace = Pace(batchBytes: settings.batchBytesLimit, messages: settings.messagesInFlightLimit)
            peers.insert(Peer(process, next: next, isProbing: true, pace: pace), at: place)
        }
    }

    /// Those that are no members any more are told so, for this many heartbeats at most.
    mutating func dismissPeers(outside configuration: Configuration, pulses: UInt64) {
        for index in peers.indices
        where !configuration.isMember(peers[index].process) && peers[index].pulsesUntilGone == nil {
            peers[index].pulsesUntilGone = pulses
        }
    }

    /// Begins with what the acceptors have told in phase 1, of what this process knows to be chosen.
    mutating func begin(with promises: [Preparing.Progress], chosenUpTo: Slot) {
        for promise in promises {
            guard let chosen = promise.chosenUpTo, let index = peer(promise.acceptor) else { continue }
            let known = min(chosen, chosenUpTo)
            tally.record(promise.acceptor, upTo: known)
            peers[index].next = known.next
            peers[index].accepted = known
            peers[index].isProbing = false
        }
    }

    /// Takes what a process says of its vote.
    mutating func note(_ standing: ReplicaMessage.Standing, at index: Int) {
        if peers[index].standing?.disk != standing.disk { peers[index].followedUpTo = .zero }
        peers[index].standing = standing
        // What this disk accepted at this ballot while it only followed, it has accepted.
        if standing.isVote { tally.record(peers[index].process, upTo: peers[index].followedUpTo) }
    }

    /// A process has accepted, durably, everything up to this slot, which counts if it votes.
    mutating func noteAccepted(_ upTo: Slot, isVote: Bool, at index: Int) {
        if isVote {
            tally.record(peers[index].process, upTo: upTo)
        } else {
            peers[index].followedUpTo = max(peers[index].followedUpTo, upTo)
        }
        peers[index].noteAccepted(upTo)
    }

    /// A process has answered a round, which counts if it votes.
    mutating func noteAnswer(_ answer: ReplicaMessage.HeartbeatAnswer, at index: Int) {
        if answer.standing.isVote {
            peers[index].answeredRound = max(peers[index].answeredRound, answer.round)
        }
        peers[index].chosenUpTo = max(peers[index].chosenUpTo, answer.chosenUpTo)
        peers[index].accepted = answer.acceptedUpTo
    }

    /// Something that this process's clients have proposed is chosen.
    mutating func noteChosen(of process: ProcessID) {
        if let index = peer(process) { peers[index].isWaiting = true }
    }

    /// What the receiver said before it had installed the checkpoint may still be on its way.
    mutating func noteCheckpointSent(to process: ProcessID) {
        if let index = peer(process) { peers[index].checkpointRound = rounds.current }
    }
}
