import Glibc
import Testing

@testable import WriteAheadLog

/// A small file system in memory, which only a privileged process can make.
final class SmallDisk {
    let directory = TestDirectory()

    init?(bytes: Int) {
        guard mount("synod-test", directory.path, "tmpfs", 0, "size=\(bytes)") == 0 else { return nil }
    }

    deinit { umount(directory.path) }

    /// Fills the disk, and returns the file whose removal frees it again.
    func fill() throws -> String {
        let path = directory.path("ballast")
        let file = try LogFile(path, create: true)
        for piece in [1 << 20, 64 << 10, 4096] {
            while (try? file.zero(file.size, piece)) != nil {}
        }
        return path
    }

    static let isPossible = SmallDisk(bytes: 1 << 20) != nil
}

@Suite(.enabled(if: SmallDisk.isPossible, "needs the right to mount a small file system"))
struct FullDiskTests {
    @Test("a full disk is told of before a record is accepted, and what was accepted stays")
    func fullBeforeAccepting() throws {
        let disk = try #require(SmallDisk(bytes: 2 << 20))
        let fixture = LogFixture(disk.directory, segmentBytes: 256 << 10)
        let log = try fixture.open().log
        _ = try disk.fill()
        let record = [UInt8](repeating: 7, count: 4000)
        var accepted = 0
        while (try? log.append(record)) != nil {
            accepted += 1
            try log.synchronize()
        }
        // The whole segment had been set aside.
        #expect(accepted >= 60)
        #expect { try log.append(record) } throws: { ($0 as? WriteAheadLogError)?.code == .full }
        log.settle()
        #expect(log.isSpaceLow)
        #expect(throws: WriteAheadLogError.self) { try log.cut(preamble: []) }
        #expect(try fixture.records().count == accepted)
    }

    @Test("room that becomes free is found again")
    func recovers() throws {
        let disk = try #require(SmallDisk(bytes: 2 << 20))
        let fixture = LogFixture(disk.directory, segmentBytes: 256 << 10)
        let log = try fixture.open().log
        let ballast = try disk.fill()
        while (try? log.append([UInt8](repeating: 7, count: 4000))) != nil { try log.synchronize() }
        #expect(!log.hasReserve)
        unlink(ballast)
        #expect(try log.cut(preamble: [[1]]) == 2)
        #expect(!log.isSpaceLow)
        try log.append([2])
        try log.synchronize()
        // Who reads the directory clears away what is still being made there.
        log.settle()
        #expect(try fixture.records().suffix(2) == [[1], [2]])
    }

    @Test("a spare lets the log be cut on a full disk, and trimming gives the room back")
    func spare() throws {
        let disk = try #require(SmallDisk(bytes: 2 << 20))
        let fixture = LogFixture(disk.directory, segmentBytes: 256 << 10)
        let log = try fixture.open().log
        let record = [UInt8](repeating: 7, count: 4000)
        for _ in 0..<30 { try log.append(record) }
        try log.synchronize()
        log.settle()
        #expect(log.hasReserve)
        _ = try disk.fill()
        while (try? log.append(record)) != nil { try log.synchronize() }
        let number = try log.cut(preamble: [[1]])
        for _ in 0..<30 { try log.append(record) }
        try log.synchronize()
        log.settle()
        #expect(log.isSpaceLow)
        try log.remove(before: number)
        log.settle()
        #expect(!log.isSpaceLow)
        #expect(try log.cut(preamble: []) == 3)
    }
}
