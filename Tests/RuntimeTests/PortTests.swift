import Coordination
import Synchronization
import Testing

@testable import Runtime

@Suite("Port")
struct PortTests {
    /// A closure that is kept as the value of a generic box is wrapped once more by every access to it: a port
    /// then grows slower with each delivery, and in the end has no stack left.
    @Test("the thousandth delivery is as deep in the stack as the first")
    func deliveriesDoNotNest() {
        let depths = Mutex<[UInt]>([])
        let port = Port(
            number: 1,
            host: Mailbox(capacity: 1), hub: Mailbox(capacity: 1), isHostRunning: { true },
            deliver: { _ in
                var here = 0
                let depth = withUnsafeMutablePointer(to: &here) { UInt(bitPattern: $0) }
                depths.withLock { $0.append(depth) }
            })
        for _ in 0..<1000 { port.deliver([.leaderLost]) }
        let seen = depths.withLock { $0 }
        #expect(seen.count == 1000)
        #expect(Set(seen).count == 1, "\(seen.first!) for the first, \(seen.last!) for the last")
    }

    @Test("nothing is delivered to a port that is closed")
    func closed() {
        let count = Mutex(0)
        let port = Port(
            number: 1,
            host: Mailbox(capacity: 1), hub: Mailbox(capacity: 1), isHostRunning: { true },
            deliver: { _ in count.withLock { $0 += 1 } })
        port.deliver([.leaderLost])
        port.close()
        port.deliver([.leaderLost])
        #expect(count.withLock { $0 } == 1)
    }
}
