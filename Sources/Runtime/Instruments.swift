import Automata
import Coordination
import Member
import Synchronization

/// The server's own readings. Each can be taken and read on any thread.
final class Instruments: Sendable {
    let walSync = Histogram()
    let storeCommit = Histogram()
    let storeSync = Histogram()
    let defragment = Histogram(from: 0.1, doublings: 13)
    let walBytes = Counter()
    let keys = KeyCount()
    let compactedKeys = Counter()

    let leaderChanges = Counter()
    let proposalsFailed = Counter()
    let entriesApplied = Counter()
    let slowApplies = Counter()
    let slowReads = Counter()
    let readsFailed = Counter()
    let heartbeatSendFailures = Counter()
    let peerSendFailures = Counter()

    /// What commands of each family did, by its own names.
    private let operations = Dictionary(
        uniqueKeysWithValues: Ledger.families.flatMap { $0.operations }.map { ($0, Counter()) })
    let leasesGranted = Counter()
    let leasesRevoked = Counter()
    let leasesRenewed = Counter()
    let leasesExpired = Counter()

    let watchEvents = Counter()
    let watchers = Counter()
    let slowWatchers = Counter()
    let watchPorts = Counter()

    let peerBytesSent = Counter()
    let peerBytesReceived = Counter()
    let activePeers = Counter()
    let checkpointsSent = Counter()
    let checkpointsInstalled = Counter()

    /// Outcomes of one kind mostly come in a row, and are counted together.
    func count(_ batch: AppliedBatch) {
        var row: (operation: String, count: Int)?
        for result in batch.results {
            guard let operation = result.outcome.operation else { continue }
            if row?.operation == operation {
                row!.count += 1
            } else {
                if let row { operations[row.operation]?.add(row.count) }
                row = (operation, 1)
            }
        }
        if let row { operations[row.operation]?.add(row.count) }
        for change in batch.consequences.leases {
            switch change {
            case .granted: leasesGranted.add(1)
            case .revoked: leasesRevoked.add(1)
            case .expired: leasesExpired.add(1)
            }
        }
    }

    var readings: [ServiceMetric] {
        func counter(_ name: String, _ counter: Counter) -> ServiceMetric {
            ServiceMetric(name: name, value: .counter(Double(counter.value)))
        }
        func gauge(_ name: String, _ counter: Counter) -> ServiceMetric {
            ServiceMetric(name: name, value: .gauge(Double(counter.value)))
        }
        let keys = keys.value.map { [ServiceMetric(name: "keys", value: .gauge(Double($0)))] } ?? []
        return keys + operations.sorted { $0.key < $1.key }.map(counter) + [
            ServiceMetric(name: "wal_sync_seconds", value: walSync.value),
            counter("wal_written_bytes_total", walBytes),
            ServiceMetric(name: "defragment_seconds", value: defragment.value),
            counter("compacted_keys_total", compactedKeys),
            ServiceMetric(name: "store_commit_seconds", value: storeCommit.value),
            ServiceMetric(name: "store_sync_seconds", value: storeSync.value),
            counter("leader_changes_total", leaderChanges),
            counter("proposals_failed_total", proposalsFailed),
            counter("entries_applied_total", entriesApplied),
            counter("slow_applies_total", slowApplies),
            counter("slow_reads_total", slowReads),
            counter("reads_failed_total", readsFailed),
            counter("heartbeat_send_failures_total", heartbeatSendFailures),
            counter("peer_sent_failures_total", peerSendFailures),
            counter("leases_granted_total", leasesGranted),
            counter("leases_revoked_total", leasesRevoked),
            counter("leases_renewed_total", leasesRenewed),
            counter("leases_expired_total", leasesExpired),
            counter("watch_events_total", watchEvents),
            gauge("watchers", watchers),
            gauge("slow_watchers", slowWatchers),
            gauge("watch_ports", watchPorts),
            counter("peer_sent_bytes_total", peerBytesSent),
            counter("peer_received_bytes_total", peerBytesReceived),
            gauge("active_peers", activePeers),
            counter("checkpoints_sent_total", checkpointsSent),
            counter("checkpoints_installed_total", checkpointsInstalled),
        ]
    }
}

/// A number that goes up, or up and down.
final class Counter: Sendable {
    private let atomic = Atomic<Int>(0)

    func add(_ amount: Int) { atomic.add(amount, ordering: .relaxed) }
    var value: Int { atomic.load(ordering: .relaxed) }
}

/// Durations in buckets that double, as dashboards made for etcd expect: from 1 ms to 8.2 s unless said otherwise.
final class Histogram: Sendable {
    private let bounds: [Double]

    private struct State {
        var counts: [UInt64]
        var count: UInt64 = 0
        var sum = 0.0
    }
    private let state: Mutex<State>

    /// In seconds.
    init(from first: Double = 0.001, doublings: Int = 14) {
        bounds = (0..<doublings).map { first * Double(1 << $0) }
        state = Mutex(State(counts: [UInt64](repeating: 0, count: doublings)))
    }

    func record(_ span: TimeSpan) {
        let seconds = span.seconds
        state.withLock { state in
            state.count += 1
            state.sum += seconds
            if let bucket = bounds.firstIndex(where: { seconds <= $0 }) {
                state.counts[bucket] += 1
            }
        }
    }

    var value: ServiceMetric.Value {
        state.withLock { state in
            var cumulative = state.counts
            for index in cumulative.indices.dropFirst() { cumulative[index] += cumulative[index - 1] }
            return .histogram(
                bounds: bounds, counts: cumulative, count: state.count, sum: state.sum)
        }
    }
}

/// How many keys there are: counted once in the background, and kept by what is applied since.
final class KeyCount: Sendable {
    struct Beginning: Sendable { fileprivate let number: UInt64 }

    private struct State {
        var beginning: UInt64 = 0
        var counted: Int?
        /// Since the count began.
        var change = 0
    }
    private let state = Mutex(State())

    /// The keys are to be counted as they are now; an earlier count means nothing any more.
    func begin() -> Beginning {
        state.withLock { state in
            state = State(beginning: state.beginning + 1)
            return Beginning(number: state.beginning)
        }
    }

    func end(_ beginning: Beginning, count: Int) {
        state.withLock { if $0.beginning == beginning.number { $0.counted = count } }
    }

    func note(_ events: [KeyValueEvent]) {
        var change = 0
        for event in events where event.space == .keyValue {
            switch event.kind {
            case .put: if event.keyValue.version == 1 { change += 1 }
            case .delete: change -= 1
            }
        }
        guard change != 0 else { return }
        state.withLock { $0.change += change }
    }

    /// Nil until they are counted.
    var value: Int? { state.withLock { state in state.counted.map { $0 + state.change } } }
}
