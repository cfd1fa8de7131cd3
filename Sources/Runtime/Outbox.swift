import Automata
import Replica

/// The way of one thread's messages to the peers' links. A message that goes to several members is encoded
/// once.
struct Outbox {
    private let network: PeerNetwork
    private var frame: [UInt8] = []
    private var encoded: ReplicaMessage?
    private var isBulk = false
    private var touched: [PeerConnection] = []

    init(_ network: PeerNetwork) { self.network = network }

    mutating func send(_ message: ReplicaMessage, to receiver: ProcessID) {
        guard let link = network.link(to: receiver) else { return }
        if encoded != message {
            PeerFrame.encode(.replica, into: &frame) { message.encode(into: &$0) }
            encoded = message
            isBulk = message.isBulk
        }
        enqueue(on: link)
    }

    mutating func send(_ request: PeerRequest, to receiver: ProcessID) {
        guard let link = network.link(to: receiver) else { return }
        encoded = nil
        isBulk = false
        PeerFrame.encode(.request, into: &frame) { request.encode(into: &$0) }
        enqueue(on: link)
    }

    mutating func send(_ answer: PeerAnswer, to receiver: ProcessID) {
        guard let link = network.link(to: receiver) else { return }
        encoded = nil
        isBulk = false
        PeerFrame.encode(.answer, into: &frame) { answer.encode(into: &$0) }
        enqueue(on: link)
    }

    /// A frame without a body. Where it says that nothing more comes, it goes the way of what might have come.
    mutating func send(_ kind: PeerFrameKind, to receiver: ProcessID) {
        guard let link = network.link(to: receiver) else { return }
        encoded = nil
        isBulk = kind == .farewellAnswer
        PeerFrame.encode(kind, into: &frame) { _ in }
        enqueue(on: link)
    }

    private mutating func enqueue(on link: PeerLink) {
        let connection = link.connection(isBulk: isBulk)
        connection.enqueue(frame)
        if !touched.contains(where: { $0 === connection }) { touched.append(connection) }
    }

    /// Lets go what was sent since the last call: one write for each connection.
    mutating func flush() {
        for connection in touched { connection.flush() }
        touched.removeAll(keepingCapacity: true)
        encoded = nil
    }
}
