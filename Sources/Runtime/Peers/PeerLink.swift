import Automata
import Coordination
import NIOCore
import PeerLinks
import Synchronization

/// This process's sending side towards one member: two connections, so that the pulse, elections and answers never
/// wait behind entries.
///
///     urgent   everything that is small: heartbeats, elections, answers
///     bulk     what carries entries: phase 2a and catch-up, promises with entries, forwarded proposals; and behind
///              them what is known to be chosen
///
/// Messages of one connection arrive in order, and between the two in any, as the protocol allows.
final class PeerLink: @unchecked Sendable {
    let peer: ProcessID
    private let urgent: PeerConnection
    private let bulk: PeerConnection
    /// As the system measures them, once a second.
    let roundTrips = Histogram(from: 0.0001, doublings: 15)

    /// What the two connections have told.
    private final class Standing: Sendable {
        private struct State {
            var wasConnected = false
            var hasBeenConnected = false
            var lastReason = ""
        }
        private let state = Mutex(State())
        private let peer: ProcessID
        private let instruments: Instruments
        private let report: Reporter

        init(_ peer: ProcessID, _ instruments: Instruments, _ report: Reporter) {
            self.peer = peer
            self.instruments = instruments
            self.report = report
        }

        /// Of the urgent connection; the other one shares its fate, and has nothing to add but how it ended.
        func onChanged(_ isConnected: Bool, _ address: String, _ reason: String) {
            let (isNews, isFirst, counts) = state.withLock { state -> (Bool, Bool, Int) in
                let counts = (isConnected ? 1 : 0) - (state.wasConnected ? 1 : 0)
                let isNews = isConnected || reason != state.lastReason
                let isFirst = !state.hasBeenConnected
                state.wasConnected = isConnected
                state.hasBeenConnected = state.hasBeenConnected || isConnected
                state.lastReason = reason
                return (isNews, isFirst, counts)
            }
            if counts != 0 { instruments.activePeers.add(counts) }
            guard isNews else { return }
            if isConnected {
                let again: LogLine = isFirst ? "" : " again"
                report(
                    .info,
                    "connected to \(member: peer, as: "remote-member-id") at \(address, as: "remote-addr")"
                        + again)
            } else {
                report(
                    .warning,
                    "no connection to \(member: peer, as: "remote-member-id") at "
                        + "\(address, as: "remote-addr"): \(reason, as: "error")")
            }
        }
    }

    /// `changed` is told when `isConnected` may be another.
    init(
        peer: ProcessID, urls: [PeerURL], greeting: PeerGreeting, loop: any EventLoop, times: LinkTimes,
        queueLimitBytes: Int, instruments: Instruments, report: Reporter,
        changed: @escaping @Sendable () -> Void
    ) {
        self.peer = peer
        let standing = Standing(peer, instruments, report)
        func connection(
            _ purpose: PeerGreeting.Purpose, _ changed: @escaping PeerConnection.Changed
        ) -> PeerConnection {
            var greeting = greeting
            greeting.purpose = purpose
            return PeerConnection(
                purpose: purpose, urls: urls, greeting: greeting, loop: loop, times: times,
                queueLimitBytes: purpose == .bulk ? queueLimitBytes : min(queueLimitBytes, 4 << 20),
                instruments: instruments, changed: changed)
        }
        urgent = connection(.messages) {
            standing.onChanged($0, $1, $2)
            changed()
        }
        bulk = connection(.bulk) { isConnected, address, reason in
            changed()
            guard !isConnected else { return }
            report(
                .debug,
                "no connection for entries to \(member: peer, as: "remote-member-id") at "
                    + "\(address, as: "remote-addr"): \(reason, as: "error")")
        }
    }

    private var both: [PeerConnection] { [urgent, bulk] }

    func start() { for connection in both { connection.start() } }
    func use(urls: [PeerURL]) { for connection in both { connection.use(urls: urls) } }

    /// The peer has just been heard on a connection of its own. Any thread.
    func peerIsThere() { for connection in both { connection.peerIsThere() } }

    /// Whether messages of both kinds have somewhere to go at this moment. Any thread.
    var isConnected: Bool { urgent.isConnected && bulk.isConnected }

    /// Which commands the peer understands, as it said when it was last reached; nil before. Any thread.
    var commands: CommandVersions? { urgent.commands }

    func measureRoundTrip() { urgent.measureRoundTrip(roundTrips) }

    // MARK: sending, any thread

    func connection(isBulk: Bool) -> PeerConnection { isBulk ? bulk : urgent }

    /// Frames that found no connection or no room since the last call.
    func takeDropped() -> UInt64 { urgent.takeDropped() + bulk.takeDropped() }

    /// Sends what is queued and closes. Any thread.
    func close() { for connection in both { connection.close() } }
}
