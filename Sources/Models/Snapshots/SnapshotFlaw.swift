/// A rule of a snapshot algorithm that is left out, so that one sees what it is for.
enum SnapshotFlaw: String, Hashable, Sendable, CaseIterable {
    /// Nobody is told: each process looks at itself when it likes, and channels are taken as empty.
    case noMarkers = "no-markers"
    /// Processes tell each other when to record, and channels are taken as empty.
    case noChannels = "no-channels"
    /// A marker is sent some time after its sender has recorded, and tokens may leave in between.
    case lateMarkers = "late-markers"
    /// A snapshot is taken for complete once every process has recorded, whatever is missing by the counts of
    /// white messages.
    case whiteCounts = "white-counts"

    static let ofChandyLamport: [SnapshotFlaw] = [.noMarkers, .noChannels, .lateMarkers]
    static let ofLaiYang: [SnapshotFlaw] = [.whiteCounts]
}
