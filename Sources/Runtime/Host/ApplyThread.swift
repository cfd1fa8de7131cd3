import Automata
import Coordination
import Member

/// A thread for batches that take longer than the replica thread may be kept from its other duties, such as one
/// that deletes very many keys. While it has one, nobody else writes to the store.
final class ApplyThread: Sendable {
    private enum Work: @unchecked Sendable {
        /// The applier is a value, and the member's own stays as it is until the batch is back.
        case batch(Applier)
        case stop
    }

    private let mailbox = Mailbox<Work>(capacity: .max)
    private let store: StoreBox
    private let host: Mailbox<HostInput>

    init(store: StoreBox, host: Mailbox<HostInput>) {
        self.store = store
        self.host = host
    }

    func apply(_ applier: Applier) { mailbox.send(.batch(applier)) }
    /// Lets the thread finish what it has and end.
    func stop() { mailbox.send(.stop) }

    /// The body of the thread.
    func run() {
        var works: [Work] = []
        while true {
            mailbox.take(into: &works, until: nil)
            for work in works {
                switch work {
                case .stop: return
                case .batch(let applier):
                    let begun = MonotonicClock.now()
                    let result = Result { try store.store.write { try applier.batch(in: $0) } }
                    host.send(.batchApplied(result, took: MonotonicClock.now().since(begun)))
                }
            }
            // What they hold is not kept until there is something else to do.
            works.removeAll()
        }
    }
}
