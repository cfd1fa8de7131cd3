import Automata
import Paxos

/// The proposer's side of phase 1: once, for the whole suffix of slots that are not known to be chosen.
///
/// Acceptors tell what they have accepted in chunks that the candidate pulls. What an acceptor knows to be
/// chosen is adopted at once, so that a candidate may be far behind; where the acceptor has trimmed that,
/// the candidate asks it for a checkpoint and goes on once that is installed.
extension Replica {
    mutating func beginPreparing(
        _ ballot: Ballot, successorOf: Ballot? = nil, _ outputs: inout [ReplicaOutput]
    ) {
        precondition(ballot > acceptor.promised && ballot.process == me && leadership == nil)
        canvassing = nil
        loseLeader(&outputs)
        _ = acceptor.prepare(ballot)
        acceptedUpTo = chosenUpTo
        candidateProgress = 0
        candidateHeardAt = nil
        let record = persist(.promised(ballot), &outputs)
        prepareSuffix(ownRecord: record, successorOf: successorOf, &outputs)
        setElectionTimer(&outputs)
    }

    /// Phase 1 at the promised ballot in the configuration in force.
    mutating func prepareSuffix(
        ownRecord: RecordNumber, successorOf: Ballot?, _ outputs: inout [ReplicaOutput]
    ) {
        let from = chosenUpTo.next
        var collection = PromiseCollection(
            ballot: acceptor.promised, configuration: configuration, from: from)
        collection.add(acceptor.accepted.chunk(from: from, bytesLimit: .max))
        preparing = Preparing(
            collection: collection, ownRecord: ownRecord, successorOf: successorOf,
            progress: configuration.voters.filter { $0 != me }.map { .init(acceptor: $0, next: from) })
        for index in preparing!.progress.indices { sendPrepare(index, &outputs) }
        armResend(&outputs)
        if ownRecord <= durableUpTo { finishOwnPromise(&outputs) }
    }

    private mutating func sendPrepare(_ index: Int, _ outputs: inout [ReplicaOutput]) {
        let progress = preparing!.progress[index]
        let message = ReplicaMessage.Prepare(
            ballot: acceptor.promised, epoch: preparing!.collection.configuration.epoch,
            from: max(progress.next, chosenUpTo.next), successorOf: preparing!.successorOf,
            progress: preparing!.steps,
            disk: preparing!.collection.configuration.disk(of: progress.acceptor))
        // A ballot must never be used again after a restart, so others hear of it once it is durable.
        send(
            .prepare(message), to: progress.acceptor, after: unlessDurable(preparing!.ownRecord), &outputs)
    }

    /// Those that have told everything hear of it as long as phase 1 gets further, so that they wait for it.
    mutating func resendPrepares(_ outputs: inout [ReplicaOutput]) {
        guard let preparing else { return }
        for (index, progress) in preparing.progress.enumerated()
        where preparing.steps > preparing.stepsTold
            || !preparing.collection.complete.contains(progress.acceptor)
        {
            sendPrepare(index, &outputs)
        }
        self.preparing!.stepsTold = preparing.steps
    }

    /// Phase 1 has got further.
    private mutating func noteProgress() {
        preparing!.steps += 1
        preparing!.hasProgressed = true
        candidateHeardAt = now
    }

    mutating func finishOwnPromise(_ outputs: inout [ReplicaOutput]) {
        preparing!.collection.finish(me)
        completePhase1(&outputs)
    }

    mutating func onPromise(
        _ promise: ReplicaMessage.Promise, from voter: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard let index = preparing?.progress.firstIndex(where: { $0.acceptor == voter }),
            promise.ballot == acceptor.promised, promise.epoch == configuration.epoch,
            preparing!.collection.configuration.epoch == configuration.epoch
        else { return }
        let before = (chosen: chosenUpTo, next: preparing!.progress[index].next)
        preparing!.progress[index].chosenUpTo = promise.chosenUpTo
        adoptChosen(promise, &outputs)
        // In another configuration phase 1 begins anew, at the end of this step.
        guard configuration.epoch == promise.epoch else { return }

        let chunk = promise.chunk
        preparing!.collection.raise(to: chosenUpTo.next)
        preparing!.collection.add(chunk)
        var next = max(preparing!.progress[index].next, chosenUpTo.next)
        if chunk.first <= next { next = max(next, chunk.next) }
        preparing!.progress[index].next = next

        let isComplete = next > promise.last && promise.floor <= chosenUpTo
        let isFurther =
            next > before.next || chosenUpTo > before.chosen
            || isComplete && !preparing!.collection.complete.contains(voter)
        if isFurther { noteProgress() }
        if isComplete {
            preparing!.collection.finish(voter)
            completePhase1(&outputs)
        } else if promise.floor > chosenUpTo {
            // One checkpoint is enough; asking its source again does no harm. Others need not wait for it, as
            // some of them hold what it brings and can lead at once.
            preparing!.hasProgressed = true
            if preparing!.checkpointSource == nil { preparing!.checkpointSource = voter }
            guard preparing!.checkpointSource == voter else { return }
            send(.checkpointWanted(behind: chosenUpTo), to: voter, &outputs)
        } else if isFurther {
            // A copy is not answered: each would go round until phase 1 is over, and come back as several where a
            // network makes copies. What is lost is asked for again when the time for that has come.
            sendPrepare(index, &outputs)
        }
    }

    /// Accepts what the acceptor knows to be chosen, at the ballot of this process: no other value could be
    /// proposed there at it.
    private mutating func adoptChosen(
        _ promise: ReplicaMessage.Promise, _ outputs: inout [ReplicaOutput]
    ) {
        let chunk = promise.chunk
        guard !chunk.entries.isEmpty, chunk.first <= chosenUpTo.next else { return }
        let end = min(promise.chosenUpTo, Slot(chunk.next.rawValue - 1))
        guard end > chosenUpTo else { return }
        let first = chosenUpTo.next
        let offset = Int(first.rawValue - chunk.first.rawValue)
        let count = Int(end.rawValue - chosenUpTo.rawValue)
        let entries = Array(chunk.entries[offset..<offset + count])
        guard case .accepted = acceptor.accept(acceptor.promised, first: first, entries: entries) else {
            preconditionFailure("\(first) does not continue \(acceptor.accepted.last)")
        }
        persistAccepted(first, entries, chosenUpTo: end, &outputs)
        leadership?.bytesInFlight += entries.reduce(0) { $0 + $1.sizeHint }
        learn(upTo: end, &outputs)
    }

    /// Phase 1 goes on after the chosen prefix has jumped ahead.
    mutating func resumePreparing(_ outputs: inout [ReplicaOutput]) {
        guard preparing != nil else { return }
        noteProgress()
        preparing!.collection.raise(to: chosenUpTo.next)
        resendPrepares(&outputs)
    }

    private mutating func completePhase1(_ outputs: inout [ReplicaOutput]) {
        guard let done = preparing, done.collection.isQuorum,
            done.collection.configuration.epoch == configuration.epoch
        else { return }
        preparing = nil
        if leadership == nil { beginLeading(done.progress, &outputs) }
        proposeRecovered(done.collection.values, &outputs)
    }
}
