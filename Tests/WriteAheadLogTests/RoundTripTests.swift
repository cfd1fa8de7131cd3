import Testing

@testable import WriteAheadLog

@Suite struct RoundTripTests {
    @Test("records come back in order, over many segments and several openings")
    func roundTrip() throws {
        let fixture = LogFixture()
        var expected: [[UInt8]] = []
        for round in 0..<4 {
            let (log, found) = try fixture.open()
            #expect(found == expected)
            #expect(log.recordCount == UInt64(expected.count))
            for record in someRecords(120, shortest: round * 20) {
                if log.wantsCut {
                    let preamble = Array("preamble \(round)".utf8)
                    _ = try log.cut(preamble: [preamble, []])
                    expected += [preamble, []]
                }
                try log.append(record)
                expected.append(record)
                if record.count % 3 == 0 { try log.synchronize() }
            }
            if round % 2 == 0 { log.close() } else { try log.synchronize() }
        }
        let (log, found) = try fixture.open()
        #expect(found == expected)
        #expect(log.recovery.unfinished == nil)
        #expect(log.recovery.segments.count > 3)
    }

    @Test("what was only queued is lost in a crash, what was synchronised is not")
    func queuedIsNotDurable() throws {
        let fixture = LogFixture()
        do {
            let log = try fixture.open().log
            try log.append([1])
            try log.synchronize()
            try log.append([2])
        }
        #expect(try fixture.records() == [[1]])
    }

    @Test("closing synchronises what was queued, and twice does no harm")
    func closeSynchronises() throws {
        let fixture = LogFixture()
        let log = try fixture.open().log
        try log.append([1, 2, 3])
        log.close()
        log.close()
        #expect(throws: WriteAheadLogError.self) { try log.append([4]) }
        #expect(try fixture.records() == [[1, 2, 3]])
    }

    @Test("a record larger than a segment is taken, and the log then wants a cut")
    func largeRecord() throws {
        let fixture = LogFixture()
        let large = [UInt8](repeating: 0xA5, count: 6 << 20)
        let log = try fixture.open().log
        try log.append(large)
        try log.append([1])
        try log.synchronize()
        #expect(log.wantsCut)
        #expect(try log.cut(preamble: [[7]]) == 2)
        #expect(!log.wantsCut)
        #expect(try fixture.records() == [large, [1], [7]])
    }

    @Test("a record may be written in place")
    func inPlace() throws {
        let fixture = LogFixture()
        let log = try fixture.open().log
        try log.append(byteCount: 5) { $0.copyBytes(from: [5, 4, 3, 2, 1]) }
        try log.synchronize()
        #expect(try fixture.records() == [[5, 4, 3, 2, 1]])
    }

    @Test("removed segments become spares, and what they hold is never read again")
    func recycling() throws {
        let fixture = LogFixture()
        let log = try fixture.open().log
        var kept: [[UInt8]] = []
        for round in 0..<40 {
            // The same bytes at the same places in every segment: only the seed tells them apart.
            while !log.wantsCut {
                try log.append([UInt8](repeating: 9, count: 100))
                try log.synchronize()
            }
            kept = [[UInt8(round)]]
            let number = try log.cut(preamble: kept)
            try log.remove(before: number)
            log.settle()
        }
        let record = [UInt8](repeating: 9, count: 100)
        try log.append(record)
        try log.synchronize()
        #expect(fixture.directory.names.filter { LogFileName.spareNumber($0) != nil }.count <= 2)
        #expect(fixture.directory.names.compactMap(LogFileName.segmentNumber) == [41])
        let reopened = try fixture.open()
        #expect(reopened.records == kept + [record])
        #expect(reopened.log.segment.file.size >= fixture.options.segmentBytes)
    }

    @Test("an unsynchronised log works the same")
    func unsynchronised() throws {
        var fixture = LogFixture()
        fixture.options.synchronises = false
        try fixture.leave([someRecords(20), someRecords(30)])
        #expect(try fixture.records() == someRecords(20) + someRecords(30))
    }
}
