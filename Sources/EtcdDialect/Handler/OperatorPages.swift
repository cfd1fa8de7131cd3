import Coordination
import NIOHTTP1

/// Serves the pages for operators.
enum OperatorPages {
    static func serve(
        _ page: OperatorPage, _ query: QueryParameters, _ endpoint: EtcdEndpoint, _ handler: GatewayHandler
    ) {
        switch page {
        case .version:
            let versions =
                "{\"etcdserver\":\"\(EtcdServer.version)\",\"etcdcluster\":\"\(EtcdServer.clusterVersion)\"}"
            handler.respond(.ok, Array(versions.utf8), type: "application/json")
        case .metrics:
            let page = MetricsPage.render(
                endpoint.refreshStatus(), endpoint.limits, endpoint.server.allCounters, ProcessSample.current)
            handler.respond(.ok, Array(page.utf8), type: "text/plain; version=0.0.4; charset=utf-8")
        case .health: health(query, endpoint, handler)
        // Its bytes come as a download; who asks only for the head learns that it is there.
        case .backup: handler.respond(.ok, [], type: BackupDownload.contentType)
        case .live(let check):
            checks([.serializableRead], only: check, query, endpoint, handler)
        case .ready(let check):
            checks(
                [.dataCorruption, .serializableRead, .linearizableRead, .nonLearner], only: check, query,
                endpoint, handler)
        }
    }

    // MARK: /health

    private static func health(
        _ query: QueryParameters, _ endpoint: EtcdEndpoint, _ handler: GatewayHandler
    ) {
        let isSerializable = query.values("serializable").first == "true"
        let excluded = Set(query.values("exclude"))
        let status = endpoint.refreshStatus()
        if let alarm = status.alarms.first(where: { !excluded.contains($0.kind.name) }) {
            return respondHealth("ALARM \(alarm.kind.name)", endpoint, handler)
        }
        if !isSerializable, status.leaderID == 0 {
            return respondHealth("RAFT NO LEADER", endpoint, handler)
        }
        HealthCheck.run(isSerializable ? .serializableRead : .linearizableRead, on: endpoint) { failure in
            respondHealth(failure.map { "RANGE ERROR:\($0)" }, endpoint, handler)
        }
    }

    /// `reason` is nil when all is well.
    private static func respondHealth(_ reason: String?, _ endpoint: EtcdEndpoint, _ handler: GatewayHandler)
    {
        reason == nil ? endpoint.counters.healthSucceeded() : endpoint.counters.healthFailed()
        let body = "{\"health\":\"\(reason == nil)\",\"reason\":\(GatewayError.quoted(reason ?? ""))}"
        guard reason != nil else {
            return handler.respond(.ok, Array(body.utf8), type: "text/plain; charset=utf-8")
        }
        handler.respondText(.serviceUnavailable, body + "\n")
    }

    // MARK: /livez and /readyz

    private static func checks(
        _ checks: [HealthCheck], only: String?, _ query: QueryParameters, _ endpoint: EtcdEndpoint,
        _ handler: GatewayHandler
    ) {
        var wanted = checks
        if let only {
            wanted = checks.filter { $0.rawValue == only }
            guard !wanted.isEmpty else { return handler.respondText(.notFound, "404 page not found\n") }
        }
        let report = CheckReport(excluded: Set(query.values("exclude")), isVerbose: query.contains("verbose"))
        run(wanted[...], report, endpoint, handler)
    }

    /// One check after the other, as each may have to wait for the service.
    private static func run(
        _ checks: ArraySlice<HealthCheck>, _ report: CheckReport, _ endpoint: EtcdEndpoint,
        _ handler: GatewayHandler
    ) {
        guard let check = checks.first else {
            let (isHealthy, text) = report.text
            return handler.respondText(isHealthy ? .ok : .serviceUnavailable, text)
        }
        var report = report
        guard !report.excluded.contains(check.rawValue) else {
            report.lines.append("[+]\(check.rawValue) excluded: ok")
            return run(checks.dropFirst(), report, endpoint, handler)
        }
        HealthCheck.run(check, on: endpoint) { failure in
            if let failure {
                report.isHealthy = false
                report.lines.append("[-]\(check.rawValue) failed: \(failure)")
            } else {
                report.lines.append("[+]\(check.rawValue) ok")
            }
            run(checks.dropFirst(), report, endpoint, handler)
        }
    }

    private struct CheckReport {
        let excluded: Set<String>
        let isVerbose: Bool
        var lines: [String] = []
        var isHealthy = true

        /// A failure is always told at length.
        var text: (isHealthy: Bool, text: String) {
            let verdict = isHealthy ? "ok\n" : "failed\n"
            guard isVerbose || !isHealthy else { return (isHealthy, verdict) }
            return (isHealthy, lines.map { $0 + "\n" }.joined() + verdict)
        }
    }
}

/// One thing that can be well or not.
enum HealthCheck: String {
    case dataCorruption = "data_corruption"
    case serializableRead = "serializable_read"
    case linearizableRead = "linearizable_read"
    case nonLearner = "non_learner"

    /// Calls `done` with what is wrong, or nil, on the event loop; at once where nothing has to be waited for.
    static func run(_ check: HealthCheck, on endpoint: EtcdEndpoint, _ done: @escaping (String?) -> Void) {
        switch check {
        case .dataCorruption:
            let isCorrupt = endpoint.refreshStatus().alarms.contains { $0.kind == .corrupt }
            done(isCorrupt ? "alarm activated: CORRUPT" : nil)
        case .nonLearner: done(endpoint.refreshStatus().isLearner ? "member is a learner" : nil)
        case .serializableRead:
            do {
                _ = try endpoint.service.read { try KeyValueReader($0).revision() }
                done(nil)
            } catch { done(EtcdFault(reading: error).message) }
        case .linearizableRead:
            endpoint.submit(.linearizableRead, for: LinearizableProbe(done))
            endpoint.flush()
        }
    }
}

/// Asks whether a read that sees everything is possible.
private final class LinearizableProbe: ServiceCaller {
    private var done: ((String?) -> Void)?

    init(_ done: @escaping (String?) -> Void) { self.done = done }

    var isOver: Bool { done == nil }

    func onAnswer(_ answer: Result<ServiceAnswer, ServiceError>, tag: Int) throws(EtcdFault) {
        switch answer {
        case .success: end(nil)
        case .failure(let error): end(EtcdFault(error).message)
        }
    }

    func fail(_ fault: EtcdFault) { end(fault.message) }

    private func end(_ failure: String?) {
        let done = done
        self.done = nil
        done?(failure)
    }
}
