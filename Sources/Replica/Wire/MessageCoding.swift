import Automata
import Paxos

private enum MessageTag {
    static let canvass: UInt8 = 1
    static let canvassed: UInt8 = 2
    static let prepare: UInt8 = 3
    static let promise: UInt8 = 4
    static let nack: UInt8 = 5
    static let dismissed: UInt8 = 6
    static let accept: UInt8 = 7
    static let accepted: UInt8 = 8
    static let missing: UInt8 = 9
    static let chosen: UInt8 = 10
    static let heartbeat: UInt8 = 11
    static let heartbeatAnswer: UInt8 = 12
    static let checkpointWanted: UInt8 = 13
    static let takeOver: UInt8 = 14
    static let forwardProposals: UInt8 = 15
    static let forwardReconfiguration: UInt8 = 16
    static let forwardRefused: UInt8 = 17
    static let readRequest: UInt8 = 18
    static let readAnswer: UInt8 = 19
    static let readRefusal: UInt8 = 20
}

extension ReplicaMessage {
    /// Appends the wire form.
    public func encode(into bytes: inout [UInt8]) {
        bytes.write(byte: wireVersion)
        switch self {
        case .canvass(let it):
            bytes.write(byte: MessageTag.canvass)
            bytes.write(it.ballot)
            bytes.write(it.epoch)
            bytes.write(it.disk)
        case .canvassed(let it):
            bytes.write(byte: MessageTag.canvassed)
            bytes.write(it.ballot)
            bytes.write(flag: it.granted)
            bytes.write(it.promised)
        case .prepare(let it):
            bytes.write(byte: MessageTag.prepare)
            bytes.write(it.ballot)
            bytes.write(it.epoch)
            bytes.write(it.from)
            bytes.write(flag: it.successorOf != nil)
            if let ballot = it.successorOf { bytes.write(ballot) }
            bytes.write(it.progress)
            bytes.write(it.disk)
        case .promise(let it):
            bytes.write(byte: MessageTag.promise)
            bytes.write(it)
        case .nack(let it):
            bytes.write(byte: MessageTag.nack)
            bytes.write(it.refused)
            bytes.write(it.promised)
        case .dismissed(let epoch):
            bytes.write(byte: MessageTag.dismissed)
            bytes.write(epoch)
        case .accept(let it):
            bytes.write(byte: MessageTag.accept)
            bytes.write(it.ballot)
            bytes.write(it.epoch)
            bytes.write(it.first)
            bytes.write(it.chosenUpTo)
            bytes.write(it.entries)
        case .accepted(let it):
            bytes.write(byte: MessageTag.accepted)
            bytes.write(it.ballot)
            bytes.write(it.upTo)
            bytes.write(it.standing)
        case .missing(let it):
            bytes.write(byte: MessageTag.missing)
            bytes.write(it.ballot)
            bytes.write(it.from)
        case .chosen(let it):
            bytes.write(byte: MessageTag.chosen)
            bytes.write(it.ballot)
            bytes.write(it.upTo)
        case .heartbeat(let it):
            bytes.write(byte: MessageTag.heartbeat)
            bytes.write(it.ballot)
            bytes.write(it.round)
            bytes.write(it.chosenUpTo)
            bytes.write(flag: it.isPulse)
        case .heartbeatAnswer(let it):
            bytes.write(byte: MessageTag.heartbeatAnswer)
            bytes.write(it.ballot)
            bytes.write(it.round)
            bytes.write(it.acceptedUpTo)
            bytes.write(it.chosenUpTo)
            bytes.write(it.standing)
        case .checkpointWanted(let slot):
            bytes.write(byte: MessageTag.checkpointWanted)
            bytes.write(slot)
        case .takeOver(let ballot):
            bytes.write(byte: MessageTag.takeOver)
            bytes.write(ballot)
        case .forward(let it):
            bytes.write(it)
        case .forwardRefused(let it):
            bytes.write(byte: MessageTag.forwardRefused)
            bytes.write(it.incarnation)
            bytes.write(it.sequence)
            bytes.write(byte: it.refusal.rawValue)
            bytes.write(count: it.proposals.count)
            for id in it.proposals { bytes.write(id) }
        case .readRequest(let it):
            bytes.write(byte: MessageTag.readRequest)
            bytes.write(it.incarnation)
            bytes.write(it.number)
        case .readAnswer(let it):
            bytes.write(byte: it.at == nil ? MessageTag.readRefusal : MessageTag.readAnswer)
            bytes.write(it.incarnation)
            bytes.write(it.number)
            bytes.write(it.ballot)
            if let at = it.at { bytes.write(at) }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func write(_ standing: ReplicaMessage.Standing) {
        write(flag: standing.isVote)
        write(standing.disk)
    }

    fileprivate mutating func write(_ promise: ReplicaMessage.Promise) {
        write(promise.ballot)
        write(promise.epoch)
        write(promise.chosenUpTo)
        write(promise.floor)
        write(promise.last)
        write(promise.chunk.first)
        write(count: promise.chunk.runs.count)
        for run in promise.chunk.runs {
            write(run.first)
            write(run.ballot)
        }
        write(promise.chunk.entries)
    }

    fileprivate mutating func write(_ forward: ReplicaMessage.Forward) {
        switch forward.request {
        case .proposals(let proposals):
            write(byte: MessageTag.forwardProposals)
            write(forward.ballot)
            write(forward.incarnation)
            write(forward.sequence)
            write(proposals)
        case .reconfiguration(let id, let change):
            write(byte: MessageTag.forwardReconfiguration)
            write(forward.ballot)
            write(forward.incarnation)
            write(forward.sequence)
            write(id)
            write(change)
        }
    }
}

extension ReplicaMessage {
    /// Throws `WireError`.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        var reader = ByteReader(bytes)
        try reader.version()
        self = try reader.message()
        try reader.end()
    }
}

extension ByteReader {
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
