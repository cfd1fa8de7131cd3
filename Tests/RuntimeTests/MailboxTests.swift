import Automata
import Synchronization
import Testing

@testable import Runtime

@Suite("Mailbox")
struct MailboxTests {
    @Test("nothing is lost, repeated or put out of order between many producers and the consumer")
    func order() {
        let mailbox = Mailbox<(Int, Int)>(capacity: .max)
        let producers = (0..<4).map { producer in
            DedicatedThread(name: "producer") {
                for number in 0..<5000 {
                    if number % 3 == 0 {
                        mailbox.send((producer, number))
                    } else {
                        _ = mailbox.offer((producer, number))
                    }
                }
            }
        }
        var next = [0, 0, 0, 0]
        var batch: [(Int, Int)] = []
        while next.reduce(0, +) < 20_000 {
            mailbox.take(into: &batch, until: nil)
            for (producer, number) in batch {
                #expect(number == next[producer])
                next[producer] += 1
            }
        }
        for producer in producers { producer.join() }
    }

    @Test("a full mailbox refuses what is offered and takes what is sent")
    func capacity() {
        let mailbox = Mailbox<Int>(capacity: 2)
        #expect(mailbox.offer(1))
        #expect(mailbox.offer(2))
        #expect(!mailbox.offer(3))
        mailbox.send(4)
        var batch: [Int] = []
        mailbox.take(into: &batch, until: nil)
        #expect(batch == [1, 2, 4])
    }

    @Test("waiting ends at the deadline")
    func deadline() {
        let mailbox = Mailbox<Int>(capacity: 2)
        var batch = [1]
        mailbox.take(into: &batch, until: MonotonicClock.now() + .milliseconds(5))
        #expect(batch.isEmpty)
    }
}
