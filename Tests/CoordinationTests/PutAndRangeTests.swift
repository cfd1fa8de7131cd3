import Coordination
import Testing

@Suite("Put, range and delete") struct PutAndRangeTests {
    @Test("a new store is at revision 1, and every change adds one")
    func revisions() throws {
        let harness = try SpaceHarness()
        #expect(harness.ledger.revision == 1)
        #expect(try harness.put("a", "1") == .put(previous: nil, revision: 2))
        #expect(try harness.put("a", "2") == .put(previous: nil, revision: 3))
        #expect(try harness.delete("a") == .deleted(count: 1, previous: [], revision: 4))
        #expect(try harness.delete("a") == .deleted(count: 0, previous: [], revision: 4))
        #expect(try harness.read { try $0.revision() } == 4)
        #expect(try SpaceHarness(store: harness.store).ledger.revision == 4)
    }

    @Test("a version counts the puts since the key was created, and begins again after a deletion")
    func versions() throws {
        let harness = try SpaceHarness()
        try harness.put("a", "1")
        try harness.put("a", "2")
        var found = try harness.range(RangeQuery(range: keys("a"))).keyValues
        #expect(
            found == [
                KeyValue(key: bytes("a"), value: bytes("2"), createRevision: 2, modRevision: 3, version: 2)
            ])
        try harness.delete("a")
        try harness.put("a", "3")
        found = try harness.range(RangeQuery(range: keys("a"))).keyValues
        #expect(
            found == [
                KeyValue(key: bytes("a"), value: bytes("3"), createRevision: 5, modRevision: 5, version: 1)
            ])
    }

    @Test("put answers with the previous pair only when asked")
    func previousOfPut() throws {
        let harness = try SpaceHarness()
        var put = PutOperation(key: bytes("a"), value: bytes("1"))
        put.previousKeyValue = true
        #expect(try harness.apply(.put(put)) == .put(previous: nil, revision: 2))
        let first = KeyValue(
            key: bytes("a"), value: bytes("1"), createRevision: 2, modRevision: 2, version: 1)
        #expect(try harness.apply(.put(put)) == .put(previous: first, revision: 3))
    }

    @Test("ignored value and lease are taken from the key, which must exist")
    func ignoring() throws {
        let harness = try SpaceHarness()
        try harness.apply(.grantLease(LeaseID(7), seconds: 10))
        var put = PutOperation(key: bytes("a"), value: [])
        put.ignoreValue = true
        #expect(try harness.apply(.put(put)) == .refused(.keyNotFound, revision: 1))
        put.lease = 8
        #expect(
            try harness.apply(.put(put)) == .refused(.leaseNotFound, revision: 1), "as etcd: the lease first")
        try harness.put("a", "1")
        put.lease = 7
        try harness.apply(.put(put))
        var keep = PutOperation(key: bytes("a"), value: bytes("2"))
        keep.ignoreLease = true
        try harness.apply(.put(keep))
        let found = try harness.range(RangeQuery(range: keys("a"))).keyValues
        #expect(
            found == [
                KeyValue(
                    key: bytes("a"), value: bytes("2"), createRevision: 2, modRevision: 4, version: 3,
                    lease: 7)
            ])
        put.value = bytes("x")
        #expect(try harness.apply(.put(put)) == .refused(.valueProvided, revision: 4))
        keep.lease = 7
        #expect(try harness.apply(.put(keep)) == .refused(.leaseProvided, revision: 4))
    }

    @Test("deleting a range takes one revision, and tells count, pairs and events in key order")
    func deleteRange() throws {
        let harness = try SpaceHarness()
        for key in ["b", "a", "c", "d"] { try harness.put(key, key) }
        var delete = DeleteOperation(range: keys("b", "d"))
        delete.previousKeyValue = true
        guard case .deleted(2, let previous, 6) = try harness.apply(.delete(delete)) else {
            Issue.record("not deleted")
            return
        }
        #expect(previous.map(text) == ["b=b@2", "c=c@4"])
        #expect(
            harness.events.map { [$0.kind == .delete ? "delete" : "put", text($0.keyValue)] } == [
                ["delete", "b=@6"], ["delete", "c=@6"],
            ])
        #expect(try harness.list("a", "") == ["a=a@3", "d=d@5"])
        #expect(try harness.list("a", "", at: 5) == ["a=a@3", "b=b@2", "c=c@4", "d=d@5"])
    }

    @Test("an empty key is refused")
    func emptyKey() throws {
        let harness = try SpaceHarness()
        #expect(try harness.put("") == .refused(.emptyKey, revision: 1))
        #expect(try harness.delete("", "z") == .refused(.emptyKey, revision: 1))
    }

    @Test("keys with zero bytes keep their order and do not run into each other")
    func zeroBytes() throws {
        let harness = try SpaceHarness()
        let keys: [[UInt8]] = [
            [0], [0, 0], [0, 1], [0, 255], [1], [1, 0], [1, 0, 0], [1, 0, 1], [1, 1], [255], [255, 0],
        ]
        for key in keys.reversed() { try harness.apply(.put(PutOperation(key: key, value: key))) }
        for (place, key) in keys.enumerated() {
            var query = RangeQuery(range: KeyRange(key: key, end: []))
            #expect(try harness.range(query).keyValues.map(\.key) == Array(keys[place...]))
            query.keysOnly = true
            #expect(try harness.range(query).keyValues.map(\.key) == Array(keys[place...]))
            query.range = KeyRange(key: key)
            #expect(try harness.range(query).keyValues.map(\.key) == [key])
        }
    }

    @Test("a range is cut by its limit and still counts everything")
    func limit() throws {
        let harness = try SpaceHarness()
        for key in ["a", "b", "c"] { try harness.put(key) }
        var query = RangeQuery(range: keys("a", ""))
        query.limit = 2
        var result = try harness.range(query)
        #expect(result.keyValues.map { text($0.key) } == ["a", "b"] && result.more && result.count == 3)
        query.limit = 3
        result = try harness.range(query)
        #expect(result.keyValues.count == 3 && !result.more && result.count == 3 && result.revision == 4)
        query.countOnly = true
        query.limit = 1
        result = try harness.range(query)
        #expect(result.keyValues.isEmpty && !result.more && result.count == 3)
        #expect(try harness.range(RangeQuery(range: keys("c", "a"))).count == 0)
    }

    @Test("sorting by a target, with a limit after it")
    func sorting() throws {
        let harness = try SpaceHarness()
        for (key, value) in [("c", "1"), ("a", "3"), ("b", "2"), ("a", "3")] { try harness.put(key, value) }
        func sorted(_ target: RangeQuery.Target, _ order: RangeQuery.Order, limit: Int64 = 0) throws -> String
        {
            var query = RangeQuery(range: keys("a", ""))
            (query.target, query.order, query.limit) = (target, order, limit)
            return try harness.range(query).keyValues.map { text($0.key) }.joined()
        }
        #expect(try sorted(.key, .descending) == "cba")
        #expect(try sorted(.key, .descending, limit: 1) == "c")
        #expect(try sorted(.modRevision, .ascending) == "cba")
        #expect(try sorted(.createRevision, .descending) == "bac")
        #expect(try sorted(.version, .ascending) == "bca", "equal versions stay in key order")
        #expect(try sorted(.version, .descending) == "abc")
        #expect(try sorted(.value, .ascending) == "cba")
        #expect(try sorted(.value, .descending, limit: 2) == "ab")
        #expect(try sorted(.modRevision, .none) == "cba", "without an order a target sorts ascending")
        #expect(
            try sorted(.modRevision, .none, limit: 1) == "b",
            "but only what the limit and one more let through")
    }

    @Test("filters take effect before the limit and leave the count alone")
    func filters() throws {
        let harness = try SpaceHarness()
        for key in ["a", "b", "c", "a"] { try harness.put(key) }
        var query = RangeQuery(range: keys("a", ""))
        query.minModRevision = 4
        query.limit = 1
        var result = try harness.range(query)
        #expect(result.keyValues.map { text($0.key) } == ["a"] && result.more && result.count == 3)
        query = RangeQuery(range: keys("a", ""))
        query.maxModRevision = 3
        #expect(try harness.range(query).keyValues.map { text($0.key) } == ["b"])
        query = RangeQuery(range: keys("a", ""))
        query.minCreateRevision = 3
        query.maxCreateRevision = 3
        result = try harness.range(query)
        #expect(result.keyValues.map { text($0.key) } == ["b"] && result.count == 3)
    }

    @Test("a range at a revision that is to come, or compacted, is refused; at the compacted one it is not")
    func revisionBounds() throws {
        let harness = try SpaceHarness()
        for value in ["1", "2", "3"] { try harness.put("a", value) }
        #expect(throws: KeyValueRefusal.futureRevision) { try harness.list("a", at: 5) }
        #expect(try harness.apply(.compact(revision: 3)) == .compacted(revision: 4))
        #expect(throws: KeyValueRefusal.compacted) { try harness.list("a", at: 2) }
        #expect(try harness.list("a", at: 3) == ["a=2@3"])
        #expect(try harness.list("a", at: -1) == ["a=3@4"])
    }

    @Test("a range steps and seeks over any number of old versions")
    func manyVersions() throws {
        let harness = try SpaceHarness()
        for round in 1...40 {
            for key in ["a", "b", "c"] where round % 7 != 0 || key != "b" { try harness.put(key, "\(round)") }
        }
        try harness.delete("b")
        let revision = harness.ledger.revision
        var model: [String: (String, Int64)] = [:]
        var at: Int64 = 1
        for round in 1...40 {
            for key in ["a", "b", "c"] where round % 7 != 0 || key != "b" {
                at += 1
                model[key] = ("\(round)", at)
                let expected = model.keys.sorted().map { "\($0)=\(model[$0]!.0)@\(model[$0]!.1)" }
                #expect(try harness.list("a", "", at: at) == expected)
            }
        }
        #expect(at + 1 == revision)
        #expect(try harness.list("a", "").map { $0.first } == ["a", "c"])
    }
}
