import Automata
import Paxos

/// Phase 1 under way: of a candidate, or of a leader that enters a new configuration.
struct Preparing: Hashable, Sendable {
    /// How far an acceptor has told what it accepted.
    struct Progress: Hashable, Sendable {
        let acceptor: ProcessID
        /// The first slot that it has not told of.
        fileprivate(set) var next: Slot
        /// What it knew to be chosen; `nil` before its first promise.
        fileprivate(set) var chosenUpTo: Slot?
    }

    /// What follows a promise.
    enum Next {
        case nothing
        /// Its acceptor has more to tell.
        case pull
        /// Its acceptor has trimmed what this process needs.
        case checkpoint
        /// Its acceptor has told everything.
        case conclude
    }

    private var collection: PromiseCollection
    /// The promise of this process counts once this record is durable.
    let ownRecord: RecordNumber
    /// The ballot of the leader that asked this process to take over.
    let successorOf: Ballot?
    /// One for every voter but this process, in ascending order.
    private(set) var progress: [Progress]
    /// Who was asked for a checkpoint, as it has trimmed what this process needs.
    private var checkpointSource: ProcessID?
    /// How often phase 1 has got further.
    private(set) var steps: UInt64 = 0
    /// `steps` when everybody was last told.
    private var stepsTold: UInt64 = 0
    /// Whether anything worth waiting for came since the election timer was set.
    private var hasProgressed = false

    /// Phase 1 from the first slot of `own` on, which is what this process itself has accepted.
    init(
        _ ballot: Ballot, in configuration: Configuration, own: AcceptedChunk, ownRecord: RecordNumber,
        successorOf: Ballot?
    ) {
        collection = PromiseCollection(ballot: ballot, configuration: configuration, from: own.first)
        collection.add(own)
        self.ownRecord = ownRecord
        self.successorOf = successorOf
        progress = configuration.voters.filter { $0 != ballot.process }
            .map { Progress(acceptor: $0, next: own.first) }
    }

    var ballot: Ballot { collection.ballot }
    /// Of the configuration among which phase 1 runs.
    var epoch: UInt64 { collection.configuration.epoch }
    var isQuorum: Bool { collection.isQuorum }
    /// What must be proposed in the slots that are not known to be chosen.
    var values: [Entry] { collection.values }

    // MARK: Asking

    /// What to ask of the acceptor at this place, when everything up to `chosenUpTo` is chosen.
    func prepare(at index: Int, behind chosenUpTo: Slot) -> ReplicaMessage.Prepare {
        ReplicaMessage.Prepare(
            ballot: ballot, epoch: epoch, from: max(progress[index].next, chosenUpTo.next),
            successorOf: successorOf, progress: steps,
            disk: collection.configuration.disk(of: progress[index].acceptor))
    }

    /// Whether the acceptor at this place is asked again. One that has told everything hears of it as long as
    /// phase 1 gets further, so that it waits for it.
    func isDueAgain(at index: Int) -> Bool {
        steps > stepsTold || !collection.complete.contains(progress[index].acceptor)
    }

    mutating func noteAllTold() { stepsTold = steps }

    /// The election timer fires; whether phase 1 goes on because something came since it was set.
    mutating func isWorthWaiting() -> Bool {
        defer { hasProgressed = false }
        return hasProgressed
    }

    // MARK: Hearing

    mutating func finishOwn() { collection.finish(ballot.process) }

    /// The place of an acceptor that is asked, when its promise answers this phase 1.
    func index(of promise: ReplicaMessage.Promise, from voter: ProcessID) -> Int? {
        guard promise.ballot == ballot, promise.epoch == epoch else { return nil }
        return progress.firstIndex { $0.acceptor == voter }
    }

    mutating func noteChosen(_ promise: ReplicaMessage.Promise, at index: Int) {
        progress[index].chosenUpTo = promise.chosenUpTo
    }

    /// Takes what an acceptor has told, when by now everything up to `chosenUpTo` is known to be chosen, more
    /// than before the promise came if `hasLearnt`.
    mutating func take(
        _ promise: ReplicaMessage.Promise, at index: Int, chosenUpTo: Slot, hasLearnt: Bool
    ) -> Next {
        let chunk = promise.chunk
        collection.raise(to: chosenUpTo.next)
        collection.add(chunk)
        let before = progress[index].next
        var next = max(before, chosenUpTo.next)
        if chunk.first <= next { next = max(next, chunk.next) }
        progress[index].next = next

        let voter = progress[index].acceptor
        let isComplete = next > promise.last && promise.floor <= chosenUpTo
        let isFurther =
            next > before || hasLearnt || isComplete && !collection.complete.contains(voter)
        if isFurther { noteProgress() }
        if isComplete {
            collection.finish(voter)
            return .conclude
        }
        if promise.floor > chosenUpTo {
            // One checkpoint is enough; asking its source again does no harm. Others need not wait for it, as
            // some of them hold what it brings and can lead at once.
            hasProgressed = true
            if checkpointSource == nil { checkpointSource = voter }
            return checkpointSource == voter ? .checkpoint : .nothing
        }
        // A copy is not answered: each would go round until phase 1 is over, and come back as several where a
        // network makes copies. What is lost is asked for again when the time for that has come.
        return isFurther ? .pull : .nothing
    }

    /// The chosen prefix has jumped ahead.
    mutating func raise(to slot: Slot) {
        noteProgress()
        collection.raise(to: slot)
    }

    /// No checkpoint comes from there.
    mutating func noteCheckpointFailed(_ other: ProcessID) {
        if checkpointSource == other { checkpointSource = nil }
    }

    /// Phase 1 has got further.
    private mutating func noteProgress() {
        steps += 1
        hasProgressed = true
    }
}
