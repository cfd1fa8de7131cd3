import Automata
import Paxos

extension ReplicaMessage {
    /// Throws `WireError`.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        var reader = WireReader(bytes)
        try reader.version()
        self = try reader.message()
        try reader.end()
    }
}

extension WireReader {
    fileprivate mutating func message() throws(WireError) -> ReplicaMessage {
        switch try byte() {
        case MessageTag.canvass:
            let ballot = try ballot()
            let epoch = try number()
            return .canvass(.init(ballot: ballot, epoch: epoch, disk: try disk()))
        case MessageTag.canvassed:
            let ballot = try ballot()
            let granted = try flag()
            return .canvassed(.init(ballot: ballot, granted: granted, promised: try self.ballot()))
        case MessageTag.prepare:
            let ballot = try ballot()
            let epoch = try number()
            let from = try slot()
            guard from > .zero else { throw .malformed }
            let successorOf = try flag() ? try self.ballot() : nil
            let progress = try number()
            return .prepare(
                .init(
                    ballot: ballot, epoch: epoch, from: from, successorOf: successorOf, progress: progress,
                    disk: try disk()))
        case MessageTag.promise:
            return .promise(try promise())
        case MessageTag.nack:
            let refused = try ballot()
            return .nack(.init(refused: refused, promised: try ballot()))
        case MessageTag.dismissed:
            return .dismissed(epoch: try number())
        case MessageTag.accept:
            let ballot = try ballot()
            let epoch = try number()
            let first = try slot()
            let chosenUpTo = try slot()
            guard first > .zero else { throw .malformed }
            return .accept(
                .init(
                    ballot: ballot, epoch: epoch, first: first, entries: try entries(), chosenUpTo: chosenUpTo
                ))
        case MessageTag.accepted:
            let ballot = try ballot()
            let upTo = try slot()
            return .accepted(.init(ballot: ballot, upTo: upTo, standing: try standing()))
        case MessageTag.missing:
            let ballot = try ballot()
            let from = try slot()
            guard from > .zero else { throw .malformed }
            return .missing(.init(ballot: ballot, from: from))
        case MessageTag.chosen:
            let ballot = try ballot()
            return .chosen(.init(ballot: ballot, upTo: try slot()))
        case MessageTag.heartbeat:
            let ballot = try ballot()
            let round = try number()
            let chosenUpTo = try slot()
            return .heartbeat(
                .init(ballot: ballot, round: round, chosenUpTo: chosenUpTo, isPulse: try flag()))
        case MessageTag.heartbeatAnswer:
            let ballot = try ballot()
            let round = try number()
            let acceptedUpTo = try slot()
            let chosenUpTo = try slot()
            return .heartbeatAnswer(
                .init(
                    ballot: ballot, round: round, acceptedUpTo: acceptedUpTo, chosenUpTo: chosenUpTo,
                    standing: try standing()))
        case MessageTag.checkpointWanted:
            return .checkpointWanted(behind: try slot())
        case MessageTag.takeOver:
            return .takeOver(ballot: try ballot())
        case MessageTag.forwardProposals:
            let ballot = try ballot()
            let incarnation = try number()
            let sequence = try number()
            return .forward(
                .init(
                    ballot: ballot, incarnation: incarnation, sequence: sequence,
                    request: .proposals(try proposals())))
        case MessageTag.forwardReconfiguration:
            let ballot = try ballot()
            let incarnation = try number()
            let sequence = try number()
            let id = try proposalID()
            return .forward(
                .init(
                    ballot: ballot, incarnation: incarnation, sequence: sequence,
                    request: .reconfiguration(id, try change())))
        case MessageTag.forwardRefused:
            return .forwardRefused(try forwardRefused())
        case MessageTag.readRequest:
            let incarnation = try number()
            return .readRequest(.init(incarnation: incarnation, number: try number()))
        case MessageTag.readAnswer:
            let incarnation = try number()
            let number = try number()
            let ballot = try ballot()
            return .readAnswer(
                .init(incarnation: incarnation, number: number, ballot: ballot, at: try slot()))
        case MessageTag.readRefusal:
            let incarnation = try number()
            let number = try number()
            return .readAnswer(
                .init(incarnation: incarnation, number: number, ballot: try ballot(), at: nil))
        case let tag:
            throw .unknownTag(tag)
        }
    }

    private mutating func standing() throws(WireError) -> ReplicaMessage.Standing {
        let isVote = try flag()
        return .init(isVote: isVote, disk: try disk())
    }

    private mutating func promise() throws(WireError) -> ReplicaMessage.Promise {
        let ballot = try ballot()
        let epoch = try number()
        let chosenUpTo = try slot()
        let floor = try slot()
        let last = try slot()
        let first = try slot()
        var runs: [AcceptedLog.Run] = []
        for _ in 0..<(try count()) {
            let start = try slot()
            let ballot = try self.ballot()
            guard runs.isEmpty ? start == first : start > runs[runs.count - 1].first else { throw .malformed }
            runs.append(.init(first: start, ballot: ballot))
        }
        let entries = try entries()
        guard first > .zero, runs.isEmpty == entries.isEmpty else { throw .malformed }
        return .init(
            ballot: ballot, epoch: epoch, chosenUpTo: chosenUpTo, floor: floor, last: last,
            chunk: AcceptedChunk(first: first, entries: entries, runs: runs))
    }

    private mutating func forwardRefused() throws(WireError) -> ReplicaMessage.ForwardRefused {
        let incarnation = try number()
        let sequence = try number()
        let tag = try byte()
        guard let refusal = Refusal(rawValue: tag) else { throw .unknownTag(tag) }
        var proposals: [ProposalID] = []
        for _ in 0..<(try count()) { proposals.append(try proposalID()) }
        return .init(incarnation: incarnation, sequence: sequence, proposals: proposals, refusal: refusal)
    }
}
