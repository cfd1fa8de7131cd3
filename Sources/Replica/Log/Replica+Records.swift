import Automata
import Paxos

/// Handing over what is to be durable, and the messages that wait for it.
extension Replica {
    @discardableResult
    mutating func persist(_ record: ReplicaRecord, _ outputs: inout [ReplicaOutput]) -> RecordNumber {
        lastRecord = RecordNumber(lastRecord.rawValue + 1)
        outputs.append(.persist(record))
        return lastRecord
    }

    @discardableResult
    mutating func persistAccepted(
        _ first: Slot, _ entries: [Entry], chosenUpTo: Slot, _ outputs: inout [ReplicaOutput]
    ) -> RecordNumber {
        hintedUpTo = max(hintedUpTo, chosenUpTo)
        return persist(
            .accepted(
                .init(ballot: acceptor.promised, first: first, entries: entries, chosenUpTo: chosenUpTo)),
            &outputs)
    }

    mutating func onDurable(upTo record: RecordNumber, _ outputs: inout [ReplicaOutput]) {
        precondition(record <= lastRecord, "record \(record) is durable, of \(lastRecord) handed over")
        durableUpTo = max(durableUpTo, record)
        if preparing != nil, preparing!.ownRecord <= durableUpTo { finishOwnPromise(&outputs) }
        if leadership != nil { acceptOwn(&outputs) }
    }

    func send(
        _ message: ReplicaMessage, to process: ProcessID, after record: RecordNumber = .none,
        _ outputs: inout [ReplicaOutput]
    ) {
        outputs.append(.send(message, to: process, after: record))
    }

    /// What a message must wait for that depends on everything handed over so far.
    var everythingSoFar: RecordNumber { unlessDurable(lastRecord) }

    /// What a message must wait for that carries the number of this start.
    var thisStart: RecordNumber { unlessDurable(RecordNumber(1)) }

    func unlessDurable(_ record: RecordNumber) -> RecordNumber { record <= durableUpTo ? .none : record }

    /// What a new log segment must begin with, so that older segments may go once they are trimmed: the
    /// number of this start, the promise and the trim floor. These copies are not counted as records.
    public var segmentPreamble: [ReplicaRecord] {
        var preamble: [ReplicaRecord] = [
            .started(incarnation: incarnation, isMember: wasMember), .promised(acceptor.promised),
        ]
        if acceptor.accepted.floor > .zero { preamble.append(.floor(acceptor.accepted.floor)) }
        return preamble
    }
}
