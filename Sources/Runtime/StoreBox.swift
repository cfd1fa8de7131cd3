import Coordination
import Synchronization

/// The store in use. A checkpoint that is installed replaces it; whoever reads the old one at that moment
/// finishes there. When the server has stopped there is none, and the files are nobody's.
final class StoreBox: Sendable {
    private struct State: Sendable {
        var store: (any ServerStore)?
        var suspension: StoreError?
    }
    private let state: Mutex<State>

    init(_ store: any ServerStore) { state = Mutex(State(store: store)) }

    var store: any ServerStore {
        get throws {
            guard let store = state.withLock({ $0.store }) else {
                throw StoreError(.failed, "the server has stopped")
            }
            return store
        }
    }

    func replace(by store: (any ServerStore)?) { state.withLock { $0 = State(store: store) } }

    func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R { try reliable.read(body) }

    func openView() throws -> any OrderedView { try reliable.openView() }

    /// Nobody reads in the store, whose pages cannot be relied on, until another one replaces it.
    func suspend(_ reason: StoreError) { state.withLock { $0.suspension = reason } }

    var suspension: StoreError? { state.withLock { $0.suspension } }

    private var reliable: any ServerStore {
        get throws {
            if let suspension { throw suspension }
            return try store
        }
    }
}
