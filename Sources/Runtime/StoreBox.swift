import Coordination
import Synchronization

/// The store in use. A checkpoint that is installed replaces it; whoever reads the old one at that moment
/// finishes there.
final class StoreBox: Sendable {
    private let current: Mutex<any OrderedStore>

    init(_ store: any OrderedStore) { current = Mutex(store) }

    var store: any OrderedStore { current.withLock { $0 } }

    func replace(by store: any OrderedStore) { current.withLock { $0 = store } }

    func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R { try store.read(body) }
}
