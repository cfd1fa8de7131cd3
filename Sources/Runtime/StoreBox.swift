import Coordination
import Synchronization

/// The store in use. A checkpoint that is installed replaces it; whoever reads the old one at that moment
/// finishes there. When the server has stopped there is none, and the files are nobody's.
final class StoreBox: Sendable {
    private let current: Mutex<(any ServerStore)?>

    init(_ store: any ServerStore) { current = Mutex(store) }

    var store: any ServerStore {
        get throws {
            guard let store = current.withLock({ $0 }) else {
                throw StoreError(.failed, "the server has stopped")
            }
            return store
        }
    }

    func replace(by store: (any ServerStore)?) { current.withLock { $0 = store } }

    func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R { try store.read(body) }
}
