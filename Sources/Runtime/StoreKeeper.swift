import Automata
import Coordination
import Member
import Paxos
import Replica
import Synchronization
import WriteAheadLog

/// A thread for what takes long and must not hold up the others: making the store durable, and making it anew.
final class StoreKeeper: Sendable {
    private enum Work: Sendable {
        case synchronize(upTo: Slot)
        case copy(StoreCopySource)
        case catchUp(StoreCopy, [Entry])
        case place(StoreCopy)
        case discard(StoreCopy)
        case stop
    }

    private let mailbox = Mailbox<Work>(capacity: .max)
    private let store: StoreBox
    private let folders: StoreFolders
    private let host: Mailbox<HostInput>
    private let instruments: Instruments
    private let isStopping = Atomic<Bool>(false)

    init(store: StoreBox, folders: StoreFolders, host: Mailbox<HostInput>, instruments: Instruments) {
        self.store = store
        self.folders = folders
        self.host = host
        self.instruments = instruments
    }

    func synchronize(upTo slot: Slot) { mailbox.send(.synchronize(upTo: slot)) }
    /// Begins a copy; answered by `.storeCopied`.
    func copy(_ source: StoreCopySource) { mailbox.send(.copy(source)) }
    /// Applies to a copy what followed it, and makes it durable; answered by `.storeCopied`.
    func catchUp(_ copy: StoreCopy, _ entries: [Entry]) { mailbox.send(.catchUp(copy, entries)) }
    /// Makes a copy the store that a restart finds; answered by `.storePlaced`.
    func place(_ copy: StoreCopy) { mailbox.send(.place(copy)) }
    func discard(_ copy: StoreCopy) { mailbox.send(.discard(copy)) }
    /// Lets the thread finish what it has, but for a copy, and end.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        mailbox.send(.stop)
    }

    /// The body of the thread.
    func run() {
        var works: [Work] = []
        while true {
            mailbox.take(into: &works, until: nil)
            for work in works {
                if case .stop = work { return }
                carryOut(work)
            }
            // A copy, and through it its files, is not kept until there is something else to do.
            works.removeAll()
        }
    }

    private func carryOut(_ work: Work) {
        switch work {
        case .stop: break
        case .synchronize(let slot):
            do {
                let begun = MonotonicClock.now()
                try store.store.synchronize()
                instruments.storeSync.record(MonotonicClock.now().since(begun))
                host.send(.stored(upTo: slot))
            } catch {
                host.send(.storeFailed(storeError(error)))
            }
        case .copy(let source):
            answer {
                let view = try source == .point ? store.store.openPoint() : store.store.openView()
                defer { view.close() }
                return try StoreCopy(of: view, in: folders) { isStopping.load(ordering: .relaxed) }
            }
        case .catchUp(let copy, let entries):
            answer {
                do {
                    try copy.apply(entries)
                    try copy.synchronize()
                } catch {
                    folders.discard(copy.folder)
                    throw error
                }
                return copy
            }
        case .place(let copy):
            let result = Result { try folders.use(copy.folder) }
            host.send(.storePlaced(result.mapError { storeError($0) }))
        case .discard(let copy): folders.discard(copy.folder)
        }
    }

    private func answer(_ body: () throws -> StoreCopy) {
        host.send(.storeCopied(Result(catching: body).mapError { storeError($0) }))
    }

    private func storeError(_ error: any Error) -> StoreError {
        switch error {
        case let error as StoreError: error
        case let error as DataDirectoryError: StoreError(error.code == .full ? .full : .failed, error.message)
        default: StoreError(.failed, "\(error)")
        }
    }
}
