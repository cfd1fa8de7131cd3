import Automata
import LogicalTime
import Testing

private let p1 = ProcessID(1)
private let p2 = ProcessID(2)
private let p3 = ProcessID(3)

@Suite("Lamport clocks") struct LamportClockTests {
    @Test("a receipt is stamped later than the send and than everything before it at the receiver")
    func receiptIsLater() {
        var a = LamportClock(process: p1)
        var b = LamportClock(process: p2)
        for _ in 0..<5 { _ = a.tick() }
        let earlier = b.tick()
        let sent = a.tick()
        let received = b.receive(sent)
        #expect(sent < received)
        #expect(earlier < received)
        #expect(received.counter == 7)
    }

    @Test("events with equal counters are ordered by process, so that the order is total")
    func tiesAreBroken() {
        var a = LamportClock(process: p1)
        var b = LamportClock(process: p2)
        #expect(a.tick() < b.tick())
    }
}

@Suite("Vector clocks") struct VectorClockTests {
    @Test("a send happens before its receipt, and events that do not know of each other are concurrent")
    func orderIsCausal() {
        var a = VectorClock(process: p1)
        var b = VectorClock(process: p2)
        let sent = a.tick()
        let unrelated = b.tick()
        let received = b.receive(sent)
        #expect(sent.happensBefore(received))
        #expect(received.order(to: sent) == .after)
        #expect(sent.order(to: unrelated) == .concurrent)
        #expect(sent.order(to: sent) == .equal)
    }

    @Test("happens-before by vectors is exactly reachability along processes and messages")
    func vectorsEqualReachability() {
        // A random run of three processes, checked against the definition: the transitive closure of
        // process order and message order.
        var word: UInt64 = 88_172_645_463_325_252
        func next(_ bound: Int) -> Int {
            word ^= word << 13
            word ^= word >> 7
            word ^= word << 17
            return Int(word % UInt64(bound))
        }
        var clocks = [p1, p2, p3].map(VectorClock.init)
        var stamps: [VectorTimestamp] = []
        var causes: [[Int]] = []
        var last: [Int?] = [nil, nil, nil]
        for _ in 0..<120 {
            let process = next(3)
            var direct = last[process].map { [$0] } ?? []
            if !stamps.isEmpty, next(2) == 0 {
                let message = next(stamps.count)
                direct.append(message)
                stamps.append(clocks[process].receive(stamps[message]))
            } else {
                stamps.append(clocks[process].tick())
            }
            causes.append(direct)
            last[process] = stamps.count - 1
        }
        var past: [[Bool]] = []
        for (event, direct) in causes.enumerated() {
            var reached = Array(repeating: false, count: stamps.count)
            for cause in direct {
                reached[cause] = true
                for other in 0..<event where past[cause][other] { reached[other] = true }
            }
            past.append(reached)
        }
        for a in stamps.indices {
            for b in stamps.indices where a != b {
                #expect(stamps[a].happensBefore(stamps[b]) == past[b][a])
            }
        }
    }

    @Test("a vector holds no zero counts, so that equal knowledge is an equal value")
    func zeroIsAbsent() {
        var vector = VectorTimestamp([(p2, 3), (p1, 1)])
        vector[p2] = 0
        #expect(vector == VectorTimestamp([(p1, 1)]))
        #expect(vector.description == "[p1:1]")
    }
}

@Suite("Cuts") struct CutTests {
    /// p1 sends m in its first event; p2 receives it in its second; p3 does something of its own.
    private func run() -> Computation {
        var computation = Computation()
        var a = VectorClock(process: p1)
        var b = VectorClock(process: p2)
        var c = VectorClock(process: p3)
        let sent = a.tick()
        computation.append(sent, at: p1)
        computation.append(a.tick(), at: p1)
        computation.append(b.tick(), at: p2)
        computation.append(b.receive(sent), at: p2)
        computation.append(c.tick(), at: p3)
        return computation
    }

    @Test("a cut that includes a receipt without its send is inconsistent, and says which")
    func receiptWithoutSend() {
        let cut = Cut([(p2, 2), (p3, 1)])
        let violation = cut.violation(in: run())
        #expect(violation?.effect.process == p2)
        #expect(violation?.cause.process == p1)
        #expect(
            violation?.description
                == "event 2 of p2 is included and its cause, event 1 of p1, is not")
    }

    @Test("a cut that includes a send without its receipt is consistent: the message is in the channel")
    func sendWithoutReceipt() {
        #expect(Cut([(p1, 1), (p2, 1)]).isConsistent(in: run()))
    }

    @Test("the consistent cuts are a lattice, and there are as many as counting by hand gives")
    func lattice() {
        let computation = run()
        var consistent: [Cut] = []
        for x in 0...2 {
            for y in 0...2 {
                for z in 0...1 {
                    let cut = Cut([(p1, UInt64(x)), (p2, UInt64(y)), (p3, UInt64(z))])
                    if cut.isConsistent(in: computation) { consistent.append(cut) }
                }
            }
        }
        // Of 18 cuts those with both events of p2 and none of p1 are not closed: two of them.
        #expect(consistent.count == 16)
        for a in consistent {
            for b in consistent {
                #expect(a.union(b).isConsistent(in: computation))
                #expect(a.intersection(b).isConsistent(in: computation))
            }
        }
    }
}
