import Automata

/// Brings what processes recorded to whoever asked, by flooding: every process passes every report on once,
/// through all its channels. On a strongly connected topology every report so reaches every process, and one
/// that has all of them has the snapshot.
///
/// Chandy and Lamport leave this step to the user of the algorithm (section 3.3). A report is small news: a
/// piece is sent by its process once it is closed, a late message when it arrives, an abortion when it is
/// decided.
///
/// ```
///   p: .piece ──▶ q ──▶ r      q and r keep it and pass it on; a second copy stops where it arrives
///       └───────────▶ r
/// ```
struct SnapshotCollection: Hashable, Sendable {
    let process: ProcessID
    let method: SnapshotSettings.Collection
    let limits: SnapshotLimits
    var topology: SnapshotTopology
    /// The snapshots whose reports are being put together, in ascending order of id.
    private(set) var open: [SnapshotAssembly] = []
    private var ended = EndedSnapshots()

    init(_ settings: SnapshotSettings) {
        process = settings.process
        method = settings.collection
        limits = settings.limits
        topology = settings.topology
    }

    func hasEnded(_ id: SnapshotID) -> Bool { ended.contains(id) }

    /// Remembers that this process wants the result, from the reports that come from now on.
    mutating func ask(for id: SnapshotID) {
        if method == .flooding { open[index(of: id)].isAskedFor = true }
    }

    /// Begins to keep the reports of a snapshot that this process takes part in.
    mutating func expect(_ id: SnapshotID) {
        if method == .flooding { _ = index(of: id) }
    }

    /// Where the snapshot's assembly is; made when there is none.
    private mutating func index(of id: SnapshotID) -> Int {
        let index = open.firstIndex { $0.id >= id } ?? open.count
        if index == open.count || open[index].id != id {
            open.insert(SnapshotAssembly(id, topology: topology, limits: limits), at: index)
        }
        return index
    }

    /// Takes a report of this process, or one that another passed on. Whatever ends the snapshot for everybody
    /// is returned, so that this process stops recording too.
    ///
    /// A report about a snapshot that has ended here is a copy that took a longer way, and is ignored.
    mutating func onReport<Message>(
        _ report: SnapshotReport, from sender: ProcessID?, at now: Instant,
        into outputs: inout [SnapshotOutput<Message>]
    ) -> SnapshotAbortion? {
        guard method == .flooding else {
            // Reports are the host's affair, and only its own process has any for it.
            if sender == nil { outputs.append(.publish(report)) }
            return nil
        }
        guard !ended.contains(report.id) else { return nil }
        let known = open.contains { $0.id == report.id }
        let index = index(of: report.id)
        guard open[index].take(report) else { return nil }
        passOn(report, from: sender, &outputs)
        if !known, open.count > limits.concurrentSnapshots, open[index].abortion == nil {
            let reason = SnapshotAbortion.tooManySnapshots(at: process)
            return onReport(
                SnapshotReport(id: report.id, .aborted(reason)), from: nil, at: now, into: &outputs)
        }
        if let reason = open[index].abortion {
            // What the assembly found out by itself the others have to be told.
            if report.content != .aborted(reason) {
                passOn(SnapshotReport(id: report.id, .aborted(reason)), from: nil, &outputs)
            }
            if close(at: index).isAskedFor { outputs.append(.abort(report.id, reason)) }
            return reason
        }
        if let snapshot = open[index].snapshot(completedAt: now) {
            if close(at: index).isAskedFor { outputs.append(.complete(snapshot)) }
        }
        return nil
    }

    private mutating func close(at index: Int) -> SnapshotAssembly {
        ended.insert(open[index].id)
        return open.remove(at: index)
    }

    private func passOn<Message>(
        _ report: SnapshotReport, from sender: ProcessID?, _ outputs: inout [SnapshotOutput<Message>]
    ) {
        for destination in topology.destinations(of: process) where destination != sender {
            outputs.append(.send(.report(report), to: destination))
        }
    }
}
