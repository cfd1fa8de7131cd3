import Automata
import Coordination
import Member

/// The watch thread: gives the hub of watchers what other threads tell it, reads for it in the store, and carries out
/// its deliveries, one batch for each port and turn.
final class WatchThread {
    private let feed: WatchFeed
    private let store: StoreBox
    private let instruments: Instruments
    private let fail: (String) -> Void

    private var hub: WatchHub
    private var outputs: [WatchOutput] = []
    private var ports: [UInt64: Port] = [:]
    private var touched: [Port] = []
    /// What the feed takes to be here, and what the instruments show.
    private var counted = 0
    private var shown = WatchHub.Counts()
    private var isStopped = false

    init(feed: WatchFeed, store: StoreBox, instruments: Instruments, fail: @escaping (String) -> Void) {
        self.feed = feed
        self.store = store
        self.instruments = instruments
        self.fail = fail
        hub = WatchHub(revision: feed.revision)
    }

    /// The body of the thread.
    func run() {
        var messages: [WatchMessage] = []
        var taken: [WatchMessage] = []
        while !isStopped {
            feed.mailbox.take(into: &taken, until: nextTurn(isWaiting: !messages.isEmpty))
            if messages.isEmpty { swap(&messages, &taken) } else { messages += taken }
            // Nothing is told that may need a look at a store which nobody may read.
            if store.suspension != nil, !messages.contains(where: \.isStop) { continue }
            for message in messages { on(message) }
            messages.removeAll(keepingCapacity: true)
            // One slice a turn, so that those who are behind hold up nobody for long.
            if hub.isHistoryDue { readSlice() }
            deliverAll()
            count()
        }
    }

    /// Where nothing waits, whenever there is something to take.
    private func nextTurn(isWaiting: Bool) -> Instant? {
        guard isWaiting || hub.isHistoryDue else { return nil }
        return store.suspension != nil ? MonotonicClock.now() + .milliseconds(100) : .zero
    }

    private func on(_ message: WatchMessage) {
        switch message {
        case .requests(let port, let requests): onRequests(requests, port)
        case .portClosed(let port):
            ports[port.number] = nil
            tell(.portClosed(port.number))
        case .applied(let applied, let bytes):
            feed.taken(applied, bytes: bytes)
            tell(.applied(applied))
        case .passedOver: tell(.missed(through: feed.takePassedOver()))
        case .storeReplaced(let revision): tell(.missed(through: revision))
        case .stop: isStopped = true
        }
    }

    private func onRequests(_ requests: [WatchRequest], _ port: Port) {
        ports[port.number] = port
        // Counted first: from the revision that is read then on everything is published.
        var opened = 0
        for case .watch in requests { opened += 1 }
        if opened > 0 {
            counted += opened
            feed.count(watchers: opened)
        }
        tell(.requested(requests, port: port.number, head: feed.revision))
    }

    private func tell(_ input: WatchInput) {
        hub.step(input, into: &outputs)
        guard case .readPrevious(let versions)? = outputs.last else { return }
        outputs.removeLast()
        // What cannot be read is as what was compacted; who reads history will meet the damage.
        let previous = try? store.read { try versions.answer(in: $0) }
        hub.step(.previousRead(previous ?? []), into: &outputs)
    }

    private func readSlice() {
        do {
            let slice = try store.read { try hub.nextSlice(in: $0) }
            tell(.historyRead(slice))
        } catch let error as StoreError where error.code == .full {
            // Nothing may be read in the store now: it is, when it has been made anew.
        } catch {
            fail("cannot read the history for watchers: \(error)")
            isStopped = true
        }
    }

    // MARK: the end of a turn

    private func deliverAll() {
        for case .deliver(let delivery, let number) in outputs {
            guard let port = ports[number] else { continue }
            if case .events(_, let batch) = delivery { instruments.watchEvents.add(batch.events.count) }
            if port.watchDeliveries.isEmpty { touched.append(port) }
            port.watchDeliveries.append(delivery)
        }
        outputs.removeAll(keepingCapacity: true)
        for port in touched {
            port.deliver(port.watchDeliveries)
            port.watchDeliveries = []
        }
        touched.removeAll(keepingCapacity: true)
    }

    private func count() {
        let counts = hub.counts
        if counts.watchers != counted {
            feed.count(watchers: counts.watchers - counted)
            counted = counts.watchers
        }
        guard counts != shown else { return }
        instruments.watchers.add(counts.watchers - shown.watchers)
        instruments.slowWatchers.add(counts.slow - shown.slow)
        instruments.watchPorts.add(counts.ports - shown.ports)
        shown = counts
    }
}
