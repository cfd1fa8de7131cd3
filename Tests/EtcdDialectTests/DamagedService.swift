import Coordination
import Member
import Synchronization

/// A service on a store whose pages are damaged: what is small is read, and no view can be opened.
final class DamagedService: CoordinationService {
    let damage = StoreError(.damaged, "a page is not what was written")
    private let whole: MemoryService
    private let noted = Mutex<[StoreError]>([])

    init(_ whole: MemoryService) { self.whole = whole }

    /// What readers have told, in order.
    var told: [StoreError] { noted.withLock { $0 } }

    func note(failedReading error: any Error) {
        guard let error = error as? StoreError else { return }
        noted.withLock { $0.append(error) }
    }

    func openView() throws -> any OrderedView { throw damage }

    func openPort(deliver: @escaping @Sendable ([ServiceDelivery]) -> Void) -> any ServicePort {
        whole.openPort(deliver: deliver)
    }
    func read<R>(_ body: (any OrderedReader) throws -> R) throws -> R { try whole.read(body) }
    var status: ServiceStatus { whole.status }
    var limits: ServiceLimits { whole.limits }
}
