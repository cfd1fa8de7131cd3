import Automata

/// Reports of others, and everything that ends a snapshot before it is complete.
extension ChandyLamport {
    mutating func onReport(
        _ report: SnapshotReport, from sender: ProcessID?, at now: Instant, _ outputs: inout [Output]
    ) {
        let abortion = collection.onReport(report, from: sender, at: now, into: &outputs)
        if abortion != nil { stopRecording(report.id) }
    }

    /// Every snapshot under way may wait for something of the process that is gone, and none of them can know
    /// whether it has said all. Later ones do without it.
    mutating func onDeparted(_ other: ProcessID, at now: Instant, _ outputs: inout [Output]) {
        guard other != process, topology.contains(other) else { return }
        topology.remove(other)
        collection.topology.remove(other)
        let ids =
            recordings.map(\.id)
            + collection.open.map(\.id).filter { id in
                !recordings.contains { $0.id == id }
            }
        for id in ids { abort(id, because: .departed(other), at: now, &outputs) }
    }

    /// A snapshot that has ended stays as it ended.
    mutating func onCancelled(_ id: SnapshotID, at now: Instant, _ outputs: inout [Output]) {
        let isOpen = recordings.contains { $0.id == id } || collection.open.contains { $0.id == id }
        if isOpen { abort(id, because: .cancelled(by: process), at: now, &outputs) }
    }

    mutating func abort(
        _ id: SnapshotID, because reason: SnapshotAbortion, at now: Instant, _ outputs: inout [Output]
    ) {
        stopRecording(id)
        _ = collection.onReport(
            SnapshotReport(id: id, .aborted(reason)), from: nil, at: now, into: &outputs)
    }

    /// Markers that still come must not start the snapshot again.
    mutating func stopRecording(_ id: SnapshotID) {
        recordings.removeAll { $0.id == id }
        finished.insert(id)
    }
}
