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

    private static func service(_ page: inout Page, _ metrics: [ServiceMetric]) {
        for metric in metrics {
            let name = MetricNames.service[metric.name]?.name ?? "synod_" + metric.name
            let labels = metric.labels.map { ($0.name, $0.value) }
            switch metric.value {
            case .counter(let value): page.counter(name, value, labels)
            case .gauge(let value): page.gauge(name, value, labels)
            case .histogram(let bounds, let counts, let count, let sum):
                page.histogram(name, bounds: bounds, counts: counts, count: count, sum: sum, labels)
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
        for (description, totals) in totals where totals.timed > 0 {
            page.histogram(
                "grpc_server_handling_seconds", bounds: CallCounters.bounds, counts: totals.cumulative,
                count: totals.timed, sum: totals.seconds, labels(description))
        }
        func total(_ method: EtcdMethod) -> CallCounters.Totals { totals[method.rawValue].totals }
        page.counter("etcd_mvcc_range_total", Double(total(.range).started))
        let watches = total(.watch)
        page.gauge(
            "etcd_debugging_mvcc_watch_stream_total",
            Double(watches.started) - Double(watches.handled.reduce(0, +)))
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

    /// Lines of the page; what a family is stands before its first sample.
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
            _ name: String, bounds: [Double], counts: [UInt64], count: UInt64, sum: Double,
            _ labels: [(String, String)] = []
        ) {
            begin(name, "histogram")
            for (bound, count) in zip(bounds, counts) {
                sample(name + "_bucket", Double(count), labels + [("le", Self.number(bound))])
            }
            sample(name + "_bucket", Double(count), labels + [("le", "+Inf")])
            sample(name + "_sum", sum, labels)
            sample(name + "_count", Double(count), labels)
        }

        private mutating func begin(_ name: String, _ type: String) {
            guard family != name else { return }
            family = name
            text += "# HELP \(name) \(MetricNames.help(name))\n# TYPE \(name) \(type)\n"
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
