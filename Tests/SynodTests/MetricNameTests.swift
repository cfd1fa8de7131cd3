import Coordination
import Foundation
import Runtime
import Testing

@testable import EtcdDialect

/// The table of names, the instruments that there are, and what others read, held against each other.
@Suite("Names of metrics") struct MetricNameTests {
    /// What the dashboards and alerts of etcd's mixin ask for, of its releases 3.4 to 3.6, and what operators' own
    /// ones are known to.
    static let wanted = [
        "etcd_server_has_leader", "etcd_server_leader_changes_seen_total",
        "etcd_server_proposals_failed_total",
        "etcd_server_proposals_pending", "etcd_server_proposals_committed_total",
        "etcd_server_proposals_applied_total", "etcd_server_quota_backend_bytes",
        "etcd_server_heartbeat_send_failures_total", "etcd_server_slow_apply_total",
        "etcd_server_slow_read_indexes_total", "etcd_server_is_leader", "etcd_server_id",
        "etcd_network_peer_round_trip_time_seconds", "etcd_network_peer_sent_failures_total",
        "etcd_network_peer_sent_bytes_total", "etcd_network_peer_received_bytes_total",
        "etcd_network_client_grpc_sent_bytes_total", "etcd_network_client_grpc_received_bytes_total",
        "etcd_disk_wal_fsync_duration_seconds", "etcd_disk_backend_commit_duration_seconds",
        "etcd_disk_backend_defrag_duration_seconds", "etcd_disk_wal_write_bytes_total",
        "etcd_mvcc_db_total_size_in_bytes", "etcd_mvcc_db_total_size_in_use_in_bytes",
        "etcd_mvcc_range_total",
        "etcd_mvcc_put_total", "etcd_mvcc_delete_total", "etcd_mvcc_txn_total",
        "etcd_debugging_mvcc_keys_total",
        "etcd_debugging_mvcc_events_total", "etcd_debugging_mvcc_pending_events_total",
        "etcd_debugging_mvcc_watcher_total", "etcd_debugging_mvcc_watch_stream_total",
        "etcd_debugging_mvcc_slow_watcher_total", "etcd_debugging_mvcc_db_compaction_keys_total",
        "grpc_server_started_total", "grpc_server_handled_total", "grpc_server_handling_seconds",
        "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_start_time_seconds",
    ]

    @Test(
        "every instrument has its name, every name its instrument, and nothing that dashboards read is missing"
    )
    func names() async throws {
        let folder = NSTemporaryDirectory() + "synod-metrics-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let members = ["a": 27_890, "b": 27_891].mapValues { "http://127.0.0.1:\($0)" }
        var servers: [Server] = []
        defer { for server in servers { server.stop() } }
        for (name, url) in members {
            var options = ServerOptions(dataDirectory: folder + "/" + name)
            options.name = name
            options.listenPeerURLs = [url]
            options.advertisePeerURLs = [url]
            options.initialCluster = members.map { .init(name: $0.key, peerURLs: [$0.value]) }
            servers.append(try Server.start(options))
        }
        var provided: Set<String> = []
        // The last to come is what is measured of a connection to another member.
        for _ in 0..<2000 where !provided.isSuperset(of: ["keys", "peer_round_trip_seconds"]) {
            provided = Set(servers[0].status.metrics.map(\.name))
            try await Task.sleep(for: .milliseconds(10))
        }
        let named = Set(MetricNames.service.keys)
        #expect(provided.subtracting(named) == [], "instruments without a name")
        #expect(named.subtracting(provided) == [], "names without an instrument")
        #expect(Set(MetricNames.service.values.map(\.name)).count == named.count, "one name for two")

        let counters = CallCounters()
        counters.took(.range, nanoseconds: 1)
        let page = MetricsPage.render(
            servers[0].status, servers[0].limits, [counters], ProcessSample.current)
        let families = page.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
            .map { String($0.split(separator: " ")[2]) }
        #expect(Set(Self.wanted).subtracting(families) == [], "missing on the page")
        let explained = Set(MetricNames.page.keys).union(MetricNames.service.values.map(\.name))
        #expect(Set(families).subtracting(explained) == [], "without an explanation")
        #expect(explained.subtracting(families) == [], "explained and nowhere")
    }
}
