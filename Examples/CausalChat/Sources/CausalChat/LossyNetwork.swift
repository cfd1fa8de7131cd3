import Automata
import Multicast
import Synchronization

/// A network that loses every fifth message and delivers the others after a while of its own choice.
final class LossyNetwork: Sendable {
    private let members = Mutex<[ProcessID: ChatMember]>([:])

    func connect(_ member: ChatMember) { members.withLock { $0[member.id] = member } }

    func send(_ message: MulticastMessage, from sender: ProcessID, to receiver: ProcessID) {
        guard Int.random(in: 0..<5) > 0, let member = members.withLock({ $0[receiver] }) else { return }
        Task {
            try? await Task.sleep(for: .milliseconds(Int.random(in: 0...15)))
            await member.receive(message, from: sender)
        }
    }
}
