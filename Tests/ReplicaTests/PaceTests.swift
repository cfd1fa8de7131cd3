import Automata
import Paxos
import Testing

@testable import Replica

@Suite("The pace of a peer") struct PaceTests {
    private static let batch = 1 << 20

    /// A peer behind a link that carries `bytesPerPulse` between two heartbeats, which a leader with endless
    /// entries of this size feeds for `pulses` heartbeats; what the link carried, and how much of it twice.
    private func carry(entry: Int, bytesPerPulse: Int, pulses: Int) -> (
        distinct: Int, copies: Int, window: Int
    ) {
        var peer = Peer(
            ProcessID(2), next: Slot(1), isProbing: true, pace: Pace(batchBytes: Self.batch, messages: 16))
        var queue: [(last: Slot, left: Int)] = []
        var carried: [Slot: Int] = [:]
        var confirmed = Slot.zero
        func feed() {
            while peer.unanswered.count < (peer.isProbing ? 1 : 16),
                peer.unanswered.isEmpty || peer.unansweredBytes + entry <= peer.pace.windowBytes
            {
                peer.noteSent(1, entry, told: .zero)
                queue.append((Slot(peer.next.rawValue - 1), entry))
            }
        }
        feed()
        for _ in 0..<pulses {
            var room = bytesPerPulse
            while room > 0, !queue.isEmpty {
                let step = min(room, queue[0].left)
                room -= step
                queue[0].left -= step
                guard queue[0].left == 0 else { continue }
                let last = queue.removeFirst().last
                carried[last, default: 0] += 1
                if last == confirmed.next { confirmed = last }
                peer.accepted = confirmed
                peer.noteAccepted(confirmed)
                feed()
            }
            peer.noteStall(confirmed: confirmed)
            feed()
        }
        return (carried.count, carried.values.reduce(0) { $0 + $1 - 1 }, peer.pace.windowBytes)
    }

    @Test("a link that needs several heartbeats for one entry is not filled with copies of it")
    func slowLink() {
        // 10 Mbit/s at ten heartbeats a second, entries of 200 kB: five in eight heartbeats at best.
        let result = carry(entry: 200_000, bytesPerPulse: 125_000, pulses: 400)
        #expect(result.distinct >= 230, "\(result)")
        #expect(result.copies <= 15, "\(result)")
        #expect(result.window < 2 * Self.batch, "\(result)")
    }

    @Test("on a fast link as much may be under way as the settings allow")
    func fastLink() {
        let result = carry(entry: 100_000, bytesPerPulse: 100_000_000, pulses: 20)
        #expect(result.window == 16 * Self.batch, "\(result)")
        #expect(result.copies == 0)
    }

    @Test("answers that are late halve the window once for each heartbeat, and not below its floor")
    func narrows() {
        var pace = Pace(batchBytes: Self.batch, messages: 16)
        pace.noteAnswer(1_000, age: 2, at: 10)
        #expect(pace.windowBytes == Self.batch, "neither quick nor late")
        for _ in 1...3 { pace.noteAnswer(1_000, age: 3, at: 10) }
        #expect(pace.windowBytes == Self.batch / 2)
        pace.noteAnswer(1_000, age: 9, at: 11)
        #expect(pace.windowBytes == Self.batch / 4)
        for pulse in 12...30 { pace.noteAnswer(1_000, age: 3, at: UInt64(pulse)) }
        #expect(pace.windowBytes == 64 << 10)
        pace.noteAnswer(1_000, age: 1, at: 31)
        #expect(pace.windowBytes == (64 << 10) + 1_000, "opened by what was answered quickly")
    }

    @Test("what is lost is sent again after one heartbeat without a move, then after twice as many each time")
    func backsOff() {
        var pace = Pace(batchBytes: Self.batch, messages: 16)
        var resent: [Int] = []
        for pulse in 1...40 where pace.noteStall() { resent.append(pulse) }
        #expect(resent == [1, 2, 4, 8, 16, 32])
    }

    @Test(
        "a process whose answers took several heartbeats is waited for as long the next time, and less after quick ones"
    )
    func learnsPatience() {
        var pace = Pace(batchBytes: Self.batch, messages: 16)
        // Sent again after one, two and four heartbeats; which of the three was answered after six nobody knows.
        for _ in 1...5 { _ = pace.noteStall() }
        pace.noteProgress()
        var waited = 1
        while !pace.noteStall() { waited += 1 }
        #expect(waited == 6)
        func answerQuickly(_ times: Int) {
            for _ in 1...times {
                pace.noteAnswer(1, age: 0, at: 1)
                pace.noteProgress()
            }
        }
        // Of what was sent once it is known.
        answerQuickly(5)
        // One of three that is lost does not add up.
        for _ in 1...3 {
            _ = pace.noteStall()
            pace.noteProgress()
            answerQuickly(2)
        }
        let isImpatient = pace.noteStall()
        #expect(isImpatient)
    }
}
