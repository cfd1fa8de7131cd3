/// The families of the metrics page: names as etcd's dashboards and alerts read them, and what each says.
enum MetricNames {
    struct Family: Equatable {
        let name: String
        let help: String
        init(_ name: String, _ help: String) { (self.name, self.help) = (name, help) }
    }

    /// The service's instruments, by its names for them. What etcd has no name for keeps ours behind `synod_`.
    static let service: [String: Family] = [
        "proposals_pending": .init(
            "etcd_server_proposals_pending", "Proposals of this member that have no outcome yet."),
        "proposals_failed_total": .init(
            "etcd_server_proposals_failed_total", "Proposals of this member that were answered with an error."
        ),
        "leader_changes_total": .init(
            "etcd_server_leader_changes_seen_total", "Changes of the leader that this member has seen."),
        "heartbeat_send_failures_total": .init(
            "etcd_server_heartbeat_send_failures_total",
            "Messages that this member could not send while it led."),
        "slow_applies_total": .init(
            "etcd_server_slow_apply_total", "Batches that took longer than 100 ms to apply."),
        "slow_reads_total": .init(
            "etcd_server_slow_read_indexes_total", "Linearizable reads that waited longer than a second."),
        "reads_failed_total": .init(
            "etcd_server_read_indexes_failed_total", "Linearizable reads that could not be answered."),
        "entries_applied_total": .init(
            "synod_entries_applied_total", "Entries of the log that were applied."),
        "wal_sync_seconds": .init(
            "etcd_disk_wal_fsync_duration_seconds", "How long it takes to make records of the log durable."),
        "wal_written_bytes_total": .init(
            "etcd_disk_wal_write_bytes_total", "Bytes of records that were written to the log."),
        "store_commit_seconds": .init(
            "etcd_disk_backend_commit_duration_seconds", "How long it takes to apply and commit a batch."),
        "store_sync_seconds": .init(
            "synod_store_sync_seconds", "How long it takes to make the store durable."),
        "defragment_seconds": .init(
            "etcd_disk_backend_defrag_duration_seconds", "How long it takes to defragment the store."),
        "puts_total": .init("etcd_mvcc_put_total", "Puts that were applied."),
        "deletes_total": .init("etcd_mvcc_delete_total", "Deletions that were applied."),
        "transactions_total": .init("etcd_mvcc_txn_total", "Transactions that were applied."),
        "keys": .init("etcd_debugging_mvcc_keys_total", "Keys that there are."),
        "compacted_keys_total": .init(
            "etcd_debugging_mvcc_db_compaction_keys_total", "Versions of keys that compactions have removed."),
        "watch_events_total": .init(
            "etcd_debugging_mvcc_events_total", "Events that were sent to watchers of this member."),
        "pending_events": .init(
            "etcd_debugging_mvcc_pending_events_total", "Events that wait to be looked at for watchers."),
        "watchers": .init("synod_watchers", "Watchers that the service serves."),
        "slow_watchers": .init(
            "etcd_debugging_mvcc_slow_watcher_total", "Watchers that do not keep up and read on from history."
        ),
        "watch_ports": .init("synod_watch_ports", "Event loops whose clients watch."),
        "leases": .init("synod_leases", "Leases that there are."),
        "leases_granted_total": .init("etcd_debugging_lease_granted_total", "Leases that were granted."),
        "leases_revoked_total": .init("etcd_debugging_lease_revoked_total", "Leases that were revoked."),
        "leases_renewed_total": .init(
            "etcd_debugging_lease_renewed_total",
            "Renewals of leases that this member has answered as leader."),
        "leases_expired_total": .init(
            "etcd_debugging_server_lease_expired_total", "Leases whose time was over."),
        "active_peers": .init("etcd_network_active_peers", "Members to which there is a connection."),
        "peer_sent_bytes_total": .init("etcd_network_peer_sent_bytes_total", "Bytes sent to members."),
        "peer_received_bytes_total": .init(
            "etcd_network_peer_received_bytes_total", "Bytes received from members."),
        "peer_sent_failures_total": .init(
            "etcd_network_peer_sent_failures_total",
            "Messages for members that found no connection or no room."),
        "peer_round_trip_seconds": .init(
            "etcd_network_peer_round_trip_time_seconds",
            "Round trip time to a member, as the system measures it."),
        "checkpoints_sent_total": .init("synod_checkpoints_sent_total", "Checkpoints sent to members."),
        "checkpoints_installed_total": .init(
            "synod_checkpoints_installed_total", "Checkpoints of other members that took the store's place."),
    ]

    /// What the page says of its own families.
    static let page: [String: String] = [
        "etcd_server_has_leader": "Whether a leader is known.",
        "etcd_server_is_leader": "Whether this member leads.",
        "etcd_server_is_learner": "Whether this member is a learner.",
        "etcd_server_id": "The id of this member, as a label.",
        "etcd_server_version": "The version of etcd whose behaviour is offered, as a label.",
        "etcd_cluster_version": "The version of etcd that all members offer, as a label.",
        "etcd_server_proposals_committed_total": "Entries of the log that are known to be chosen.",
        "etcd_server_proposals_applied_total": "Entries of the log that are applied here.",
        "etcd_server_quota_backend_bytes": "The quota of the store in bytes.",
        "etcd_server_health_success": "Answers of /health that all is well.",
        "etcd_server_health_failures": "Answers of /health that something is not.",
        "etcd_server_client_requests_total": "Calls of clients by their kind.",
        "etcd_mvcc_db_total_size_in_bytes": "The size of the store in bytes.",
        "etcd_mvcc_db_total_size_in_use_in_bytes": "Bytes of the store that hold something.",
        "etcd_mvcc_range_total": "Ranges that were asked for.",
        "etcd_debugging_mvcc_current_revision": "The revision of the store.",
        "etcd_debugging_mvcc_compact_revision": "The revision before which the history is compacted.",
        "etcd_debugging_mvcc_watch_stream_total": "Streams of watches that are open.",
        "etcd_debugging_mvcc_watcher_total": "Watches that are open.",
        "etcd_network_client_grpc_received_bytes_total": "Bytes of messages received from clients.",
        "etcd_network_client_grpc_sent_bytes_total": "Bytes of messages sent to clients.",
        "grpc_server_started_total": "Calls that were begun.",
        "grpc_server_handled_total": "Calls that have ended, by their code.",
        "grpc_server_msg_received_total": "Messages received on calls.",
        "grpc_server_msg_sent_total": "Messages sent on calls.",
        "grpc_server_handling_seconds": "How long unary calls took.",
        "process_cpu_seconds_total": "Processor time of the process in seconds.",
        "process_virtual_memory_bytes": "Virtual memory of the process in bytes.",
        "process_resident_memory_bytes": "Resident memory of the process in bytes.",
        "process_open_fds": "Open file descriptors.",
        "process_max_fds": "How many file descriptors may be open.",
        "process_start_time_seconds": "When the process was started, in seconds since 1970.",
    ]

    private static let helps = page.merging(service.values.map { ($0.name, $0.help) }) { own, _ in own }

    static func help(_ family: String) -> String { helps[family] ?? "A reading of this member." }
}
