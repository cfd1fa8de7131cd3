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
        following.enterBallot()
        let record = persist(.promised(ballot), &outputs)
        prepareSuffix(ownRecord: record, successorOf: successorOf, &outputs)
        setElectionTimer(&outputs)
    }

    /// Phase 1 at the promised ballot in the configuration in force.
    mutating func prepareSuffix(
        ownRecord: RecordNumber, successorOf: Ballot?, _ outputs: inout [ReplicaOutput]
    ) {
        preparing = Preparing(
            acceptor.promised, in: configuration,
            own: acceptor.accepted.chunk(from: chosenUpTo.next, bytesLimit: .max),
            ownRecord: ownRecord, successorOf: successorOf)
        for index in preparing!.progress.indices { sendPrepare(index, &outputs) }
        armResend(&outputs)
        if ownRecord <= durableUpTo { finishOwnPromise(&outputs) }
    }

    private mutating func sendPrepare(_ index: Int, _ outputs: inout [ReplicaOutput]) {
        let message = preparing!.prepare(at: index, behind: chosenUpTo)
        let voter = preparing!.progress[index].acceptor
        // A ballot must never be used again after a restart, so others hear of it once it is durable.
        send(.prepare(message), to: voter, after: unlessDurable(preparing!.ownRecord), &outputs)
    }

    mutating func resendPrepares(_ outputs: inout [ReplicaOutput]) {
        guard preparing != nil else { return }
        for index in preparing!.progress.indices where preparing!.isDueAgain(at: index) {
            sendPrepare(index, &outputs)
        }
        preparing!.noteAllTold()
    }

    mutating func finishOwnPromise(_ outputs: inout [ReplicaOutput]) {
        preparing!.finishOwn()
        completePhase1(&outputs)
    }

    mutating func onPromise(
        _ promise: ReplicaMessage.Promise, from voter: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard let index = preparing?.index(of: promise, from: voter), promise.epoch == configuration.epoch
        else { return }
        let before = (chosen: chosenUpTo, steps: preparing!.steps)
        preparing!.noteChosen(promise, at: index)
        adoptChosen(promise, &outputs)
        // In another configuration phase 1 begins anew, at the end of this step.
        guard configuration.epoch == promise.epoch else { return }

        let next = preparing!.take(
            promise, at: index, chosenUpTo: chosenUpTo, hasLearnt: chosenUpTo > before.chosen)
        if preparing!.steps > before.steps { following.noteOwnProgress(at: now) }
        switch next {
        case .nothing: break
        case .pull: sendPrepare(index, &outputs)
        case .checkpoint: send(.checkpointWanted(behind: chosenUpTo), to: voter, &outputs)
        case .conclude: completePhase1(&outputs)
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
        preparing!.raise(to: chosenUpTo.next)
        following.noteOwnProgress(at: now)
        resendPrepares(&outputs)
    }

    private mutating func completePhase1(_ outputs: inout [ReplicaOutput]) {
        guard let done = preparing, done.isQuorum, done.epoch == configuration.epoch else { return }
        preparing = nil
        if leadership == nil { beginLeading(done.progress, &outputs) }
        proposeRecovered(done.values, &outputs)
    }
}
