import Coordination

/// Readers that wait until their watchers have been told everything up to a revision, in the order in which they came.
///
/// A reader asks before it shows newer data, so that at one port there is about one for each read under way.
struct ToldDesk: Sendable {
    struct Wait: Sendable {
        let port: UInt64
        let token: UInt64
        let revision: Int64
        let watchers: [WatcherIndex.Handle]
    }

    private var waits: [Wait] = []

    var isEmpty: Bool { waits.isEmpty }

    mutating func add(_ wait: Wait) { waits.append(wait) }

    /// A watcher that has ended is told nothing more, and keeps nobody waiting; its handle may be given anew.
    mutating func forget(_ watcher: WatcherIndex.Handle) {
        guard waits.contains(where: { $0.watchers.contains(watcher) }) else { return }
        waits = waits.map { wait in
            Wait(
                port: wait.port, token: wait.token, revision: wait.revision,
                watchers: wait.watchers.filter { $0 != watcher })
        }
    }

    mutating func forget(port: UInt64) { waits.removeAll { $0.port == port } }

    /// Takes out those of whom every watcher is told.
    mutating func takeTold(_ isTold: (WatcherIndex.Handle, Int64) -> Bool) -> [Wait] {
        var told: [Wait] = []
        var waiting: [Wait] = []
        for wait in waits {
            if wait.watchers.allSatisfy({ isTold($0, wait.revision) }) {
                told.append(wait)
            } else {
                waiting.append(wait)
            }
        }
        waits = waiting
        return told
    }
}
