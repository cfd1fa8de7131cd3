import Coordination
import GRPC

/// The metrics page, in Prometheus's text format, under the names that etcd's dashboards and alerts read.
enum MetricsPage {
    static func render(
        _ status: ServiceStatus, _ limits: ServiceLimits, _ counters: [CallCounters],
        _ process: [ProcessSample]
    ) -> String {
        var page = Page()
        server(&page, status, limits)
        store(&page, status)
        service(&page, status.metrics)
        calls(&page, counters)
        for sample in process { page.gauge(sample.name, sample.value) }
        return page.text
    }

    // MARK: What the service says of itself

    private static func server(_ page: inout Page, _ status: ServiceStatus, _ limits: ServiceLimits) {
        page.gauge("etcd_server_has_leader", status.leaderID != 0 ? 1 : 0)
        page.gauge(
            "etcd_server_is_leader", status.leaderID != 0 && status.leaderID == status.memberID ? 1 : 0)
        page.gauge("etcd_server_is_learner", status.isLearner ? 1 : 0)
        page.gauge("etcd_server_id", 1, [("server_id", String(status.memberID, radix: 16))])
        page.gauge("etcd_server_version", 1, [("server_version", EtcdServer.version)])
        page.gauge("etcd_cluster_version", 1, [("cluster_version", "3.5")])
        page.counter("etcd_server_proposals_committed_total", Double(status.chosenSlot))
        page.counter("etcd_server_proposals_applied_total", Double(status.appliedSlot))
        page.gauge("etcd_server_quota_backend_bytes", Double(max(0, limits.quotaBytes)))
    }

    private static func store(_ page: inout Page, _ status: ServiceStatus) {
        page.gauge("etcd_mvcc_db_total_size_in_bytes", Double(status.storeBytes))
        page.gauge("etcd_mvcc_db_total_size_in_use_in_bytes", Double(status.storeBytesInUse))
        page.gauge("etcd_debugging_mvcc_current_revision", Double(status.revision))
        page.gauge("etcd_debugging_mvcc_compact_revision", Double(status.compactRevision))
    }

    /// Our instruments, by etcd's names; those that etcd has no name for keep ours, with `synod_` before it.
    private static let names: [String: String] = [
        "proposals_pending": "etcd_server_proposals_pending",
        "proposals_failed_total": "etcd_server_proposals_failed_total",
        "leader_changes_total": "etcd_server_leader_changes_seen_total",
        "heartbeat_failures_total": "etcd_server_heartbeat_send_failures_total",
        "slow_applies_total": "etcd_server_slow_apply_total",
        "slow_reads_total": "etcd_server_slow_read_indexes_total",
        "reads_failed_total": "etcd_server_read_indexes_failed_total",
        "wal_sync_seconds": "etcd_disk_wal_fsync_duration_seconds",
        "wal_written_bytes_total": "etcd_disk_wal_write_bytes_total",
        "store_commit_seconds": "etcd_disk_backend_commit_duration_seconds",
        "defragment_seconds": "etcd_disk_backend_defrag_duration_seconds",
        "checkpoint_seconds": "etcd_disk_backend_snapshot_duration_seconds",
        "store_readers": "etcd_mvcc_db_open_read_transactions",
        "puts_total": "etcd_mvcc_put_total",
        "ranges_total": "etcd_mvcc_range_total",
        "transactions_total": "etcd_mvcc_txn_total",
        "deletes_total": "etcd_mvcc_delete_total",
        "keys": "etcd_debugging_mvcc_keys_total",
        "watch_streams": "etcd_debugging_mvcc_watch_stream_total",
        "slow_watchers": "etcd_debugging_mvcc_slow_watcher_total",
        "pending_events": "etcd_debugging_mvcc_pending_events_total",
        "events_total": "etcd_debugging_mvcc_events_total",
        "compacted_keys_total": "etcd_debugging_mvcc_db_compaction_keys_total",
        "leases_granted_total": "etcd_debugging_lease_granted_total",
        "leases_revoked_total": "etcd_debugging_lease_revoked_total",
        "leases_renewed_total": "etcd_debugging_lease_renewed_total",
        "leases_expired_total": "etcd_debugging_server_lease_expired_total",
        "peer_received_bytes_total": "etcd_network_peer_received_bytes_total",
        "peer_sent_bytes_total": "etcd_network_peer_sent_bytes_total",
        "peer_round_trip_seconds": "etcd_network_peer_round_trip_time_seconds",
        "active_peers": "etcd_network_active_peers",
    ]

    private static func service(_ page: inout Page, _ metrics: [ServiceMetric]) {
        for metric in metrics {
            let name = names[metric.name] ?? "synod_" + metric.name
            switch metric.value {
            case .counter(let value): page.counter(name, value)
            case .gauge(let value): page.gauge(name, value)
            case .histogram(let bounds, let counts, let count, let sum):
                page.histogram(name, bounds: bounds, counts: counts, count: count, sum: sum)
            }
        }
    }

    // MARK: What the dialect counts

    private static func calls(_ page: inout Page, _ counters: [CallCounters]) {
        let totals = MethodTable.all.map { description in
            var totals = CallCounters.Totals()
            for counters in counters { counters.addTotals(of: description.method, to: &totals) }
            return (description: description, totals: totals)
        }
        func labels(_ description: MethodDescription) -> [(String, String)] {
            [
                ("grpc_method", description.name), ("grpc_service", description.service),
                ("grpc_type", description.kind.rawValue),
            ]
        }
        for (description, totals) in totals {
            page.counter("grpc_server_started_total", Double(totals.started), labels(description))
        }
        for (description, totals) in totals {
            for (code, count) in totals.handled.enumerated() where code == 0 || count > 0 {
                let name = GRPCStatus.Code(rawValue: code)!.metricName
                page.counter(
                    "grpc_server_handled_total", Double(count), [("grpc_code", name)] + labels(description))
            }
        }
        for (description, totals) in totals {
            page.counter("grpc_server_msg_received_total", Double(totals.received), labels(description))
        }
        for (description, totals) in totals {
            page.counter("grpc_server_msg_sent_total", Double(totals.sent), labels(description))
        }
        func sum(_ value: (CallCounters) -> UInt64) -> Double { Double(counters.map(value).reduce(0, &+)) }
        page.counter("etcd_network_client_grpc_received_bytes_total", sum(\.receivedBytes))
        page.counter("etcd_network_client_grpc_sent_bytes_total", sum(\.sentBytes))
        page.gauge("etcd_debugging_mvcc_watcher_total", sum(\.watchers))
        page.counter("etcd_server_health_success", sum(\.healthSuccesses))
        page.counter("etcd_server_health_failures", sum(\.healthFailures))
        let unary = totals.filter { $0.description.kind == .unary }.map(\.totals.started).reduce(0, +)
        let streams = totals.filter { $0.description.kind != .unary }.map(\.totals.started).reduce(0, +)
        page.counter(
            "etcd_server_client_requests_total", Double(unary),
            [("client_api_version", "unknown"), ("type", "unary")])
        page.counter(
            "etcd_server_client_requests_total", Double(streams),
            [("client_api_version", "unknown"), ("type", "stream")])
    }

    /// Lines of the page; a family's type stands before its first sample.
    private struct Page {
        var text = ""
        private var family = ""

        mutating func gauge(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
            begin(name, name.hasSuffix("_total") && name.hasPrefix("process_") ? "counter" : "gauge")
            sample(name, value, labels)
        }

        mutating func counter(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
            begin(name, "counter")
            sample(name, value, labels)
        }

        mutating func histogram(
            _ name: String, bounds: [Double], counts: [UInt64], count: UInt64, sum: Double
        ) {
            begin(name, "histogram")
            for (bound, count) in zip(bounds, counts) {
                sample(name + "_bucket", Double(count), [("le", Self.number(bound))])
            }
            sample(name + "_bucket", Double(count), [("le", "+Inf")])
            sample(name + "_sum", sum, [])
            sample(name + "_count", Double(count), [])
        }

        private mutating func begin(_ name: String, _ type: String) {
            guard family != name else { return }
            family = name
            text += "# TYPE \(name) \(type)\n"
        }

        private mutating func sample(_ name: String, _ value: Double, _ labels: [(String, String)]) {
            text += name
            if !labels.isEmpty {
                text += "{" + labels.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",") + "}"
            }
            text += " \(Self.number(value))\n"
        }

        private static func number(_ value: Double) -> String {
            if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
            return String(value)
        }
    }
}

extension GRPCStatus.Code {
    /// As grpc-go spells it.
    fileprivate var metricName: String {
        switch self {
        case .ok: "OK"
        case .cancelled: "Canceled"
        case .unknown: "Unknown"
        case .invalidArgument: "InvalidArgument"
        case .deadlineExceeded: "DeadlineExceeded"
        case .notFound: "NotFound"
        case .alreadyExists: "AlreadyExists"
        case .permissionDenied: "PermissionDenied"
        case .resourceExhausted: "ResourceExhausted"
        case .failedPrecondition: "FailedPrecondition"
        case .aborted: "Aborted"
        case .outOfRange: "OutOfRange"
        case .unimplemented: "Unimplemented"
        case .internalError: "Internal"
        case .unavailable: "Unavailable"
        case .dataLoss: "DataLoss"
        case .unauthenticated: "Unauthenticated"
        }
    }
}
