import Automata
import Coordination
import Member
import Synchronization
import Testing

/// What a port has delivered so far.
final class Deliveries: Sendable {
    private let gathered = Mutex<[ServiceDelivery]>([])

    func append(_ deliveries: [ServiceDelivery]) { gathered.withLock { $0 += deliveries } }
    func take() -> [ServiceDelivery] {
        gathered.withLock { all in
            defer { all = [] }
            return all
        }
    }

    /// `watcher:put a=1@2`, `watcher:compacted 5`, `progress 7`; answers are left out.
    func takeEvents() -> [String] {
        take().flatMap { delivery -> [String] in
            switch delivery {
            case .events(let watcher, let batch):
                return batch.events.map { event in
                    let previous = event.previous.map { " was \(text($0))" } ?? ""
                    return "\(watcher.rawValue):\(event.kind) \(text(event.keyValue))\(previous)"
                }
            case .watchCompacted(let watcher, let revision):
                return ["\(watcher.rawValue):compacted \(revision)"]
            case .progress(_, let revision): return ["progress \(revision)"]
            case .leaderLost: return ["leader lost"]
            case .answer: return []
            }
        }
    }
}

final class TestTime: Sendable {
    private let value = Mutex(Instant.zero)
    var now: Instant { value.withLock { $0 } }
    func advance(seconds: UInt64) { value.withLock { $0 = $0 + .seconds(seconds) } }
}

struct ServiceHarness {
    let service: MemoryService
    let port: any ServicePort
    let deliveries = Deliveries()
    let time = TestTime()

    init(limits: ServiceLimits = ServiceLimits()) throws {
        let time = time
        service = try MemoryService(limits: limits, now: { time.now })
        let deliveries = deliveries
        port = service.openPort { deliveries.append($0) }
    }

    func put(_ key: String, _ value: String = "", lease: Int64 = 0) {
        var put = PutOperation(key: bytes(key), value: bytes(value))
        put.lease = lease
        submit(.put(put))
    }

    func submit(_ command: KeyValueCommand) { submit(command.command) }
    func submit(_ command: LedgerCommand) { submit(command.command) }

    private func submit(_ command: Command) {
        port.submit(.command(command), token: 0)
        port.flush()
    }

    func ask(_ request: ServiceRequest) throws -> ServiceAnswer {
        _ = deliveries.take()
        port.submit(request, token: 9)
        port.flush()
        for case .answer(token: 9, let result) in deliveries.take() { return try result.get() }
        throw ServiceError.timedOut
    }

    func watch(_ watcher: UInt64, _ range: KeyRange, from start: Int64 = 0) {
        port.watch(WatchSpecification(range: range, startRevision: start), watcher: WatcherID(watcher))
        port.flush()
    }
}

@Suite("The service in memory") struct MemoryServiceTests {
    @Test("a command is answered with its outcome and slot")
    func answers() throws {
        let harness = try ServiceHarness()
        guard
            case .outcome(let outcome, let slot) = try harness.ask(
                .command(KeyValueCommand.put(PutOperation(key: bytes("a"), value: bytes("1"))).command))
        else {
            Issue.record("no outcome")
            return
        }
        #expect(outcome as? KeyValueOutcome == .put(previous: nil, revision: 2))
        #expect(harness.service.status.revision == 2)
        #expect(slot == harness.service.status.appliedSlot)
        #expect(
            try harness.service.read { try KeyValueReader($0).range(RangeQuery(range: keys("a"))) }.count
                == 1)
        let unknown = Command(space: .keyValue, version: 77, payload: [])
        #expect(throws: ServiceError.stopped) { try harness.ask(.command(unknown)) }
    }

    @Test("a watcher gets what happens from now on, filtered, with previous pairs when asked")
    func watchFromNow() throws {
        let harness = try ServiceHarness()
        harness.put("a", "0")
        harness.watch(1, keys("a"))
        var specification = WatchSpecification(range: keys("a", "c"))
        specification.previousKeyValue = true
        specification.withoutDeletes = true
        harness.port.watch(specification, watcher: WatcherID(2))
        harness.put("a", "1")
        harness.put("b", "2")
        harness.submit(.delete(DeleteOperation(range: keys("a", ""))))
        #expect(
            harness.deliveries.takeEvents() == [
                "1:put a=1@3", "2:put a=1@3 was a=0@2", "2:put b=2@4", "1:delete a=@5",
            ])
        harness.port.cancelWatch(WatcherID(1))
        harness.put("a", "3")
        #expect(harness.deliveries.takeEvents() == ["2:put a=3@6"])
        harness.port.close()
        harness.put("a", "4")
        #expect(harness.deliveries.takeEvents() == [])
    }

    @Test(
        "a watcher that starts in the past reads history first, one that starts later waits, one before compaction ends"
    )
    func watchFromElsewhere() throws {
        let harness = try ServiceHarness()
        for value in 1...4 { harness.put("a", "\(value)") }
        harness.watch(1, keys("a"), from: 3)
        harness.watch(2, keys("a"), from: 7)
        #expect(harness.deliveries.takeEvents() == ["1:put a=2@3", "1:put a=3@4", "1:put a=4@5"])
        harness.port.requestProgress(of: [WatcherID(1)], token: 1)
        harness.port.requestProgress(of: [WatcherID(1), WatcherID(2)], token: 2)
        harness.port.flush()
        #expect(harness.deliveries.takeEvents() == ["progress 5"])
        for value in 5...6 { harness.put("a", "\(value)") }
        #expect(harness.deliveries.takeEvents() == ["1:put a=5@6", "1:put a=6@7", "2:put a=6@7"])
        harness.submit(.compact(revision: 5))
        _ = try harness.ask(.compactionFinished(5))
        harness.watch(3, keys("a"), from: 4)
        harness.watch(4, keys("a"), from: 5)
        #expect(
            harness.deliveries.takeEvents() == [
                "3:compacted 5", "4:put a=4@5", "4:put a=5@6", "4:put a=6@7",
            ])
    }

    @Test("a watcher that does not consume stops getting events, and reads them from history once it does")
    func slowWatcher() throws {
        let harness = try ServiceHarness()
        harness.watch(1, keys("a"))
        let large = String(repeating: "x", count: 400_000)
        for _ in 1...6 { harness.put("a", large) }
        var revisions: [Int64] = []
        func take() -> Int {
            var taken = 0
            for case .events(_, let batch) in harness.deliveries.take() {
                revisions += batch.events.map(\.keyValue.modRevision)
                taken += batch.bytes
            }
            return taken
        }
        let first = take()
        #expect(revisions == [2, 3, 4, 5, 6])
        harness.port.requestProgress(of: [WatcherID(1)], token: 1)
        harness.port.flush()
        #expect(harness.deliveries.takeEvents() == [])
        harness.port.consumed(bytes: first, watcher: WatcherID(1))
        harness.port.flush()
        #expect(take() > 0)
        #expect(revisions == [2, 3, 4, 5, 6, 7])
        for _ in 1...5 { harness.put("a", large) }
        _ = take()
        #expect(revisions == Array(2...11), "the window is full again")
    }

    @Test("a reader hears when its watchers were told up to a revision, after what they were told")
    func told() throws {
        let harness = try ServiceHarness()
        harness.watch(1, keys("a"))
        harness.watch(2, keys("b"))
        harness.put("a")
        harness.port.awaitTold(upTo: 2, [WatcherID(1), WatcherID(2)], token: 1)
        harness.port.awaitTold(upTo: 4, [WatcherID(1), WatcherID(2)], token: 2)
        harness.port.flush()
        #expect(harness.deliveries.takeEvents() == ["1:put a=@2", "progress 2"])
        harness.put("a")
        #expect(harness.deliveries.takeEvents() == ["1:put a=@3"])
        harness.put("b")
        #expect(harness.deliveries.takeEvents() == ["2:put b=@4", "progress 4"])
    }

    @Test("a lease ends when its time is over unless it is renewed")
    func leases() throws {
        let harness = try ServiceHarness()
        harness.submit(.grantLease(LeaseID(5), seconds: 10))
        harness.put("a", "1", lease: 5)
        harness.watch(1, keys("a"))
        harness.time.advance(seconds: 8)
        guard case .leaseRenewed(10) = try harness.ask(.renewLease(LeaseID(5))) else {
            Issue.record("not renewed")
            return
        }
        harness.time.advance(seconds: 8)
        harness.service.tick()
        #expect(harness.deliveries.takeEvents() == [])
        guard case .leaseTimeToLive(2, 10) = try harness.ask(.leaseTimeToLive(LeaseID(5))) else {
            Issue.record("no time to live")
            return
        }
        harness.time.advance(seconds: 3)
        harness.service.tick()
        #expect(harness.deliveries.takeEvents() == ["1:delete a=@3"])
        guard case .leaseRenewed(0) = try harness.ask(.renewLease(LeaseID(5))),
            case .leaseTimeToLive(-1, 0) = try harness.ask(.leaseTimeToLive(LeaseID(5)))
        else {
            Issue.record("the lease lives on")
            return
        }
    }

    @Test("beyond the quota the alarm is raised, and puts are refused until it is lowered")
    func quota() throws {
        var limits = ServiceLimits()
        limits.quotaBytes = 2000
        let harness = try ServiceHarness(limits: limits)
        for _ in 1...30 { harness.put("a", String(repeating: "x", count: 100)) }
        #expect(harness.service.status.alarms == [Alarm(member: 1, kind: .noSpace)])
        let put = KeyValueCommand.put(PutOperation(key: bytes("a"), value: []))
        guard case .outcome(KeyValueOutcome.refused(.noSpace, _), _) = try harness.ask(.command(put.command))
        else {
            Issue.record("not refused")
            return
        }
        harness.submit(.compact(revision: harness.service.status.revision))
        _ = try harness.ask(.compactionFinished(0))
        harness.submit(.setAlarm(Alarm(member: 1, kind: .noSpace), raised: false))
        guard case .outcome(KeyValueOutcome.put, _) = try harness.ask(.command(put.command)) else {
            Issue.record("refused")
            return
        }
    }

    @Test("deliveries that submit from within keep their order")
    func reentrant() throws {
        let harness = try ServiceHarness()
        let seen = Deliveries()
        let echo = EchoPort()
        let port = harness.service.openPort { deliveries in
            seen.append(deliveries)
            for case .events(_, let batch) in deliveries where batch.events[0].keyValue.modRevision < 5 {
                let put = KeyValueCommand.put(PutOperation(key: bytes("a"), value: []))
                echo.port?.submit(.command(put.command), token: 1)
                echo.port?.flush()
            }
        }
        echo.port = port
        port.watch(WatchSpecification(range: keys("a")), watcher: WatcherID(1))
        port.flush()
        harness.put("a")
        #expect(seen.takeEvents() == ["1:put a=@2", "1:put a=@3", "1:put a=@4", "1:put a=@5"])
        harness.service.loseLeader()
        #expect(seen.takeEvents() == ["leader lost"])
    }
}

/// The port that a delivery writes to: everything in its test is on one thread.
final class EchoPort: @unchecked Sendable {
    var port: (any ServicePort)?
}
