import Automata

/// A register that one server keeps alone. With several servers there are several registers, which no
/// client can take for one.
struct SingleCopyServer: RegisterServer {
    /// There is nothing to say between servers.
    enum Message: UInt32, Sendable { case nothing }

    private var value = initialValue

    init(number: Int, of servers: Int) {}

    mutating func receive(
        _ message: RegisterMessage<Message>, from sender: Int, to outbox: inout Outbox<Message>
    ) -> Bool {
        switch message {
        case .put(let request, let value):
            self.value = value
            outbox.send(.putOK(request: request), to: sender)
        case .get(let request):
            outbox.send(.getOK(request: request, value: value), to: sender)
        case .putOK, .getOK, .between: return false
        }
        return true
    }

    func combine(into hash: inout StableHash) { hash.combine(UInt64(value)) }

    static func describe(_ message: Message) -> String { "\(message)" }
}
