import Automata
import Paxos

enum MessageTag {
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
