import Automata
import Coordination
import Paxos

/// Whoever waits for the server to stop.
final class StopTicket: Sendable {}

/// A thread for what takes long and must not hold up the others: making the store durable.
final class StoreKeeper: Sendable {
    private enum Work: Sendable {
        case synchronize(upTo: Slot)
        case stop
    }

    private let mailbox = Mailbox<Work>(capacity: .max)
    private let store: StoreBox
    private let host: Mailbox<HostInput>
    private let instruments: Instruments

    init(store: StoreBox, host: Mailbox<HostInput>, instruments: Instruments) {
        self.store = store
        self.host = host
        self.instruments = instruments
    }

    func synchronize(upTo slot: Slot) { mailbox.send(.synchronize(upTo: slot)) }
    func stop() { mailbox.send(.stop) }

    /// The body of the thread.
    func run() {
        var works: [Work] = []
        while true {
            mailbox.take(into: &works, until: nil)
            for work in works {
                switch work {
                case .stop: return
                case .synchronize(let slot):
                    do {
                        let begun = MonotonicClock.now()
                        try store.store.synchronize()
                        instruments.storeSync.record(MonotonicClock.now().since(begun))
                        host.send(.stored(upTo: slot))
                    } catch {
                        host.send(.storeFailed(storeError(error)))
                    }
                }
            }
        }
    }

    private func storeError(_ error: any Error) -> StoreError {
        error as? StoreError ?? StoreError(.failed, "\(error)")
    }
}
