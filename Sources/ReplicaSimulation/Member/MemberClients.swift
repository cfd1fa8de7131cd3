import Automata
import Coordination
import Member
import Paxos
import Replica
import Simulation

/// The clients of a run: they ask random members for things, and remember what they asked until it is answered.
struct MemberClients {
    enum Kind: Hashable {
        case write(key: [UInt8], value: [UInt8]?)
        case otherCommand
        case read
        case grant(LeaseID)
        case renew(LeaseID)
        case timeToLive(LeaseID)
        case change(ConfigurationChange)
        case other
    }

    struct Operation {
        let process: ProcessID
        let kind: Kind
        let invoked: Instant
        /// The place of its beginning among all beginnings and ends, for the search for a linearization.
        let place: Int
        /// The highest slot that some client knew of when it began.
        let floor: Slot
        /// By how much clocks had leapt ahead when it began, all together.
        let jumped: TimeSpan
    }

    private static let keys: UInt64 = 6

    private var random: SeededRandom
    private var lastToken: UInt64 = 0
    private(set) var pending: [UInt64: Operation] = [:]
    /// Granted as far as somebody knows, or asked for.
    private var leases: [LeaseID] = []
    /// Of which somebody has lately asked for the end.
    private var endedLeases: [LeaseID] = []
    private var places = 0
    var jumped = TimeSpan.zero

    /// How many of a thousand requests ask for defragmentation, and the chance for it, which takes none of the other.
    private let defragmentations: UInt64
    private var chance: SeededRandom

    init(random: SeededRandom, defragmentations: UInt64 = 0) {
        self.random = random
        self.defragmentations = defragmentations
        var other = random
        chance = SeededRandom(seed: other.next() ^ defragmentations)
    }

    /// The key that the request under this token is about.
    static func key(_ client: ClientToken) -> [UInt8] { Array("k\(client.token % keys)".utf8) }

    mutating func place() -> Int {
        places += 1
        return places
    }

    mutating func gap(_ mean: TimeSpan) -> TimeSpan {
        TimeSpan(nanoseconds: random.below(2 * mean.nanoseconds) + 1)
    }

    mutating func pick(_ processes: [ProcessID]) -> ProcessID { random.element(processes) }

    mutating func take(_ token: UInt64) -> Operation? { pending.removeValue(forKey: token) }

    /// The clients of a member that went down learn nothing more of what they asked.
    mutating func forget(_ process: ProcessID) -> [Operation] {
        let lost = pending.filter { $0.value.process == process }
        for token in lost.keys { pending[token] = nil }
        return lost.values.sorted { $0.place < $1.place }
    }

    // MARK: asking

    mutating func request(
        to process: ProcessID, of members: [ProcessID], revision: Int64, compacted: Int64,
        knowing floor: Slot, at now: Instant
    ) -> MemberRequest {
        if chance.below(1_000) < defragmentations {
            return ask(process, .other, floor, now) { _ in .defragment }
        }
        let draw = random.below(1_000)
        switch draw {
        case ..<330: return ask(process, .read, floor, now) { _ in .linearizableRead }
        case ..<600: return put(to: process, knowing: floor, at: now)
        case ..<650:
            return ask(process, floor, now) { client in
                let key = Self.key(client)
                return (.write(key: key, value: nil), .delete(DeleteOperation(range: KeyRange(key: key))))
            }
        case ..<720:
            return ask(process, floor, now) { client in
                var transaction = KeyValueTransaction()
                let key = KeyRange(key: Array("counter".utf8))
                transaction.compares = [
                    Compare(range: key, relation: .less, operand: .version(Int64(client.token % 50)))
                ]
                transaction.success = [.put(PutOperation(key: key.key, value: Array("\(client.token)".utf8)))]
                transaction.failure = [.delete(DeleteOperation(range: key))]
                return (.otherCommand, .transaction(transaction))
            }
        case ..<740:
            return ask(process, floor, now) { _ in (.otherCommand, .compact(revision: max(1, revision - 20)))
            }
        case ..<800: return grant(at: process, floor, now)
        case ..<830:
            guard let lease = leases.isEmpty ? nil : random.element(leases) else {
                return grant(at: process, floor, now)
            }
            return ask(process, floor, now) { client in
                var put = PutOperation(
                    key: Array("held\(lease.rawValue)".utf8), value: Array("\(client.token)".utf8))
                put.lease = lease.rawValue
                return (.otherCommand, .put(put))
            }
        case ..<950:
            let asked = random.chance(400_000) && !endedLeases.isEmpty ? endedLeases : leases
            guard let lease = asked.isEmpty ? nil : random.element(asked) else {
                return grant(at: process, floor, now)
            }
            if draw < 930 {
                return ask(process, .renew(lease), floor, now) { _ in .lease(.renew(lease)) }
            }
            return ask(process, .timeToLive(lease), floor, now) { _ in .lease(.timeToLive(lease)) }
        case ..<965:
            guard !leases.isEmpty else { return grant(at: process, floor, now) }
            let lease = leases.remove(at: random.index(leases.count))
            endedLeases.append(lease)
            if endedLeases.count > 3 { endedLeases.removeFirst() }
            return ask(process, .otherCommand, floor, now) { _ in
                .command(EntryPayload.encode(LedgerCommand.revokeLease(lease).command))
            }
        case ..<985: return disarm(members, at: process, floor, now)
        case ..<993:
            return ask(process, .other, floor, now) { _ in
                .compactionFinished(compacted)
            }
        default:
            let target = random.element(members)
            return ask(process, .other, floor, now) { _ in .moveLeader(to: target) }
        }
    }

    mutating func put(to process: ProcessID, knowing floor: Slot, at now: Instant) -> MemberRequest {
        ask(process, floor, now) { client in
            let (key, value) = (Self.key(client), Array("v\(client.token)".utf8))
            return (.write(key: key, value: value), .put(PutOperation(key: key, value: value)))
        }
    }

    mutating func read(at process: ProcessID, knowing floor: Slot, at now: Instant) -> MemberRequest {
        ask(process, .read, floor, now) { _ in .linearizableRead }
    }

    /// Takes back the alarm of one member that its store has no room.
    mutating func disarm(
        _ members: [ProcessID], at process: ProcessID, _ floor: Slot, _ now: Instant
    ) -> MemberRequest {
        let alarm = Alarm(member: random.element(members).rawValue, kind: .noSpace)
        return ask(process, .otherCommand, floor, now) { _ in
            .command(EntryPayload.encode(LedgerCommand.setAlarm(alarm, raised: false).command))
        }
    }

    mutating func change(
        _ change: ConfigurationChange, at process: ProcessID, knowing floor: Slot, at now: Instant
    ) -> MemberRequest {
        ask(process, .change(change), floor, now) { _ in .changeMembers(change) }
    }

    private mutating func grant(at process: ProcessID, _ floor: Slot, _ now: Instant) -> MemberRequest {
        let seconds = Int64(random.number(in: 2...6))
        let lease = LeaseID(Int64(lastToken + 1_000))
        leases.append(lease)
        if leases.count > 8 { leases.removeFirst() }
        return ask(process, .grant(lease), floor, now) { _ in
            .command(EntryPayload.encode(LedgerCommand.grantLease(lease, seconds: seconds).command))
        }
    }

    private mutating func ask(
        _ process: ProcessID, _ floor: Slot, _ now: Instant,
        _ make: (ClientToken) -> (Kind, KeyValueCommand)
    ) -> MemberRequest {
        let client = ClientToken(port: process.rawValue, token: lastToken + 1)
        let (kind, command) = make(client)
        return ask(process, kind, floor, now) { _ in .command(EntryPayload.encode(command.command)) }
    }

    private mutating func ask(
        _ process: ProcessID, _ kind: Kind, _ floor: Slot, _ now: Instant,
        _ make: (ClientToken) -> ClientRequest
    ) -> MemberRequest {
        lastToken += 1
        let client = ClientToken(port: process.rawValue, token: lastToken)
        pending[lastToken] = Operation(
            process: process, kind: kind, invoked: now, place: place(), floor: floor,
            jumped: jumped)
        return .client(make(client), client)
    }
}
