import Automata
import Coordination
import Testing

@testable import Runtime

@Suite("Want of room")
struct FullStoreTests {
    @Test("past the quota puts are refused, reads and deletes go on, and the alarm can be disarmed")
    func quota() throws {
        let cluster = TestCluster { $0.limits.quotaBytes = 400_000 }
        let server = try cluster.start("n1")
        let client = TestClient(server)
        let value = String(repeating: "x", count: 10_000)
        var number = 0
        #expect(
            try eventually {
                number += 1
                if case .refused(.noSpace, _) = try client.call(put("k\(number)", value)) { return true }
                return false
            })
        #expect(
            eventually { server.status.alarms == [Alarm(member: server.status.memberID, kind: .noSpace)] })
        #expect(try client.get("k1") == value)
        for key in 1..<number { try client.call(delete("k\(key)")) }
        try client.call(.compact(revision: server.status.revision))
        _ = try client.call(.compactionFinished(server.status.compactRevision))
        #expect(try client.call(put("k")) == .refused(.noSpace, revision: server.status.revision))
        #expect(
            try eventually {
                try client.call(
                    .setAlarm(Alarm(member: server.status.memberID, kind: .noSpace), raised: false))
                if case .put = try client.call(put("k")) { return true }
                return false
            })
    }

    @Test("when the store's disk is full nothing crashes or is half done, and it goes on once there is room")
    func fullDisk() throws {
        let memory = MemoryStore(capacity: 200_000)
        let cluster = TestCluster(openStore: { _ in memory })
        let server = try cluster.start("n1")
        let client = TestClient(server)
        let value = String(repeating: "x", count: 10_000)
        var acknowledged = 0
        var waiting: UInt64?
        for number in 1...100 {
            let token = client.submit(put("k\(number)", value))
            guard let answer = client.wait(token, within: 2) else {
                // Chosen, and not to be applied before there is room.
                waiting = token
                break
            }
            guard case .success(.outcome(KeyValueOutcome.put, _)) = answer else { break }
            acknowledged = number
        }
        #expect(acknowledged > 5 && acknowledged < 30)
        #expect(try client.call(put("more", value)) == .refused(.noSpace, revision: Int64(acknowledged) + 1))
        #expect(try client.server.read { try KeyValueReader($0).revision() } == Int64(acknowledged) + 1)
        memory.capacity = nil
        if let waiting {
            guard case .success? = client.wait(waiting) else {
                Issue.record("what was chosen was not applied once there was room")
                return
            }
        }
        #expect(
            try eventually {
                try client.call(
                    .setAlarm(Alarm(member: server.status.memberID, kind: .noSpace), raised: false))
                if case .put = try client.call(put("more")) { return true }
                return false
            })
        #expect(try client.get("k\(acknowledged)") == value)
    }
}
