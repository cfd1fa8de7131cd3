import Automata
import Paxos

/// The acceptor's side of phase 1.
extension Replica {
    mutating func onPrepare(
        _ prepare: ReplicaMessage.Prepare, from proposer: ProcessID, _ outputs: inout [ReplicaOutput]
    ) {
        guard prepare.ballot.process == proposer else { return }
        guard !dismiss(proposer, standingIn: prepare.epoch, &outputs), prepare.disk == settings.disk
        else { return }
        // A leader may be answering reads on the strength of this process's silence.
        if prepare.ballot > acceptor.promised, !isFree(forSuccessorOf: prepare.successorOf) { return }
        switch acceptor.prepare(prepare.ballot) {
        case .nack(let promised):
            send(.nack(.init(refused: prepare.ballot, promised: promised)), to: proposer, &outputs)
        case .promised(let changed):
            if changed {
                persist(.promised(prepare.ballot), &outputs)
                enterBallot(&outputs)
                following.beginWaiting(forCandidateAt: prepare.progress)
                setElectionTimer(&outputs)
            } else if following.noteCandidate(at: prepare.progress, at: now) {
                setElectionTimer(&outputs)
            }
            let log = acceptor.accepted
            let promise = ReplicaMessage.Promise(
                ballot: prepare.ballot, epoch: prepare.epoch, chosenUpTo: chosenUpTo, floor: log.floor,
                last: log.last, chunk: log.chunk(from: prepare.from, bytesLimit: settings.batchBytesLimit))
            send(.promise(promise), to: proposer, after: everythingSoFar, &outputs)
        }
    }

    /// The promise has just risen to a ballot of another process: whatever this one was at the old ballot,
    /// it is no more.
    mutating func enterBallot(_ outputs: inout [ReplicaOutput]) {
        if leadership != nil { stepDown(&outputs) }
        abandonCandidacy()
        loseLeader(&outputs)
        following.enterBallot()
        highestRound = max(highestRound, acceptor.promised.round)
        acceptedUpTo = chosenUpTo
        extendAccepted()
    }
}
