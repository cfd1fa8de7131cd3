import Coordination

/// One watch of a stream.
final class Watcher {
    unowned let stream: WatchStream
    let watchID: Int64
    let fragment: Bool
    let progressNotify: Bool
    /// The first revision of interest.
    let startRevision: Int64
    /// Set as soon as the service knows the watcher; nil once it has ended there.
    var id: WatcherID?
    /// Bytes of events that are queued for the client and not yet reported as gone.
    var owedBytes = 0
    /// Whether nothing was sent since the last progress notification was due.
    var isQuiet = true

    init(stream: WatchStream, watchID: Int64, creation: WatchCreation, startRevision: Int64) {
        self.stream = stream
        self.watchID = watchID
        fragment = creation.fragment
        progressNotify = creation.progressNotify
        self.startRevision = startRevision
    }

    func onEvents(_ batch: WatchBatch, _ encoded: EncodedEvents) {
        stream.onEvents(batch, encoded, self)
    }

    func onCompacted(_ revision: Int64) { stream.onCompacted(revision, self) }

    func onProgress(_ revision: Int64) {
        guard isQuiet, hasReached(revision) else { return }
        stream.sendProgress(revision, watchID: watchID)
    }

    /// Whether progress at `revision` says anything about what the watch is to see: one that starts in the
    /// future has none yet.
    func hasReached(_ revision: Int64) -> Bool { revision >= startRevision - 1 }
}
