import Automata
import Coordination
import Paxos
import Replica

@testable import Member

/// A member whose log is durable at once, and whose store is in memory.
struct MemberDesk {
    var member: MemberCore
    let store = MemoryStore()
    var now = Instant.zero + .seconds(100)
    var answers: [(token: UInt64, result: Result<ServiceAnswer, ServiceError>)] = []
    var sent: [(message: PeerMessage, to: ProcessID)] = []
    var reports: [MemberReport] = []
    var others: [MemberOutput] = []
    private var records: UInt64 = 0

    init(voters: [UInt64] = [1], _ change: (inout MemberCore.Settings) -> Void = { _ in }) throws {
        var replica = Replica.Settings(process: ProcessID(1))
        replica.electionTimeout = .seconds(1)
        replica.heartbeatInterval = .milliseconds(100)
        let configuration = Configuration(voters: voters.map { ProcessID($0) })
        var settings = MemberCore.Settings(electionTimeout: .seconds(1), firstNumber: 1)
        settings.name = "one"
        settings.peerURLs = ["http://one"]
        change(&settings)
        let (now, store) = (now, store)
        member = try store.read { reader in
            try MemberCore(
                settings: settings,
                replica: Replica(
                    settings: replica,
                    recovered: ReplicaDurableState(storedUpTo: .zero, configuration)),
                applier: Applier(from: reader), from: reader, now: now)
        }
        tell(.start)
    }

    mutating func tell(_ input: MemberInput) {
        var outputs: [MemberOutput] = []
        member.step(input, at: now, into: &outputs)
        var isDurable = true
        for output in outputs {
            switch output {
            case .persist:
                records += 1
                isDurable = false
            case .send(let message, let to, _): sent.append((message, to))
            case .answer(let client, let result): answers.append((client.token, result))
            case .report(let report): reports.append(report)
            default: others.append(output)
            }
        }
        if !isDurable { tell(.durable(upTo: RecordNumber(records))) }
    }

    mutating func ask(_ request: ClientRequest, token: UInt64 = 1) {
        tell(.requested(request, by: ClientToken(port: 1, token: token)))
        tell(.gathered)
    }

    mutating func put(_ key: String, token: UInt64 = 1) {
        let put = KeyValueCommand.put(PutOperation(key: Array(key.utf8), value: [1]))
        ask(.command(EntryPayload.encode(put.command)), token: token)
    }

    /// Lets the store do what is due, as long as it has room.
    mutating func write(compacts: Bool = true) throws {
        tell(.gathered)
        while member.glance.isBatchDue {
            do {
                var member = member
                tell(.applied(try store.write { try member.nextBatch(in: $0) }))
            } catch let error as StoreError where error.code == .full {
                return tell(.storeFull)
            }
        }
        while compacts, member.glance.isCompactionDue {
            var member = member
            tell(.compacted(try store.write { try member.nextCompaction(in: $0) }))
        }
    }

    mutating func pass(_ span: TimeSpan) { now = now + span }
    mutating func beat(_ reading: StoreReading? = nil) { tell(.beat(reading)) }
}
