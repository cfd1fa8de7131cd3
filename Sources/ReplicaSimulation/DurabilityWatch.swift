import Automata
import Paxos
import Replica

/// Which record each message of one life of a process rests on: what it says must be durable when it leaves.
struct DurabilityWatch {
    private var written: UInt64 = 0
    private var durable: UInt64 = 0
    /// The promise that was found at the start.
    private let recovered: Ballot
    /// By which record the promise rose, ascending in both; only those that are not durable, and the last that is.
    private var promises: [(ballot: Ballot, record: UInt64)] = []
    /// The last record of entries up to which slot; only those that are not durable.
    private var acceptances: [(first: Slot, record: UInt64)] = []

    init(recovered: [ReplicaRecord] = []) {
        var highest = Ballot.none
        for record in recovered {
            if let ballot = record.ballot { highest = max(highest, ballot) }
        }
        self.recovered = highest
    }

    mutating func onWrote(_ record: ReplicaRecord) {
        written += 1
        if let ballot = record.ballot, ballot > (promises.last?.ballot ?? recovered) {
            promises.append((ballot, written))
        }
        if let slots = record.slots { acceptances.append((slots.lowerBound, written)) }
    }

    mutating func onDurable(upTo record: RecordNumber) {
        durable = max(durable, record.rawValue)
        while promises.count > 1, promises[1].record <= durable { promises.removeFirst() }
        acceptances.removeAll { $0.record <= durable }
    }

    /// What is wrong with letting this message go once `after` is durable; `nil` when nothing is.
    func complaint(about message: ReplicaMessage, after: RecordNumber) -> String? {
        let known = max(durable, after.rawValue)
        switch message {
        case .promise(let it): return isPromised(it.ballot, by: known) ? nil : "its promise"
        case .prepare(let it): return isPromised(it.ballot, by: known) ? nil : "the ballot that it uses"
        case .accept(let it): return isPromised(it.ballot, by: known) ? nil : "the ballot that it uses"
        case .accepted(let it):
            guard isPromised(it.ballot, by: known) else { return "the ballot of what it accepted" }
            let open = acceptances.contains { $0.first <= it.upTo && $0.record > known }
            return open ? "what it accepted" : nil
        case .forward, .readRequest: return known >= 1 ? nil : "the number of its start"
        default: return nil
        }
    }

    private func isPromised(_ ballot: Ballot, by record: UInt64) -> Bool {
        ballot <= recovered || promises.contains { $0.ballot >= ballot && $0.record <= record }
    }
}

extension ReplicaRecord {
    /// The ballot that is promised by this record.
    fileprivate var ballot: Ballot? {
        switch self {
        case .promised(let ballot): ballot
        case .accepted(let acceptance): acceptance.ballot
        case .started, .chosen, .floor: nil
        }
    }
}
