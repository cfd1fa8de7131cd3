import Glibc

@testable import WriteAheadLog

/// A directory for one test, deleted when the test lets go of it.
final class TestDirectory {
    let path: String

    init() {
        var template = Array("/tmp/synod-log-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { Self.remove(path) }

    static func remove(_ path: String) {
        for name in (try? SystemFiles.shared.names(in: path)) ?? [] where unlink("\(path)/\(name)") != 0 {
            remove("\(path)/\(name)")
        }
        rmdir(path)
    }

    var names: [String] { (try? SystemFiles.shared.names(in: path)) ?? [] }
    func path(_ name: String) -> String { "\(path)/\(name)" }

    func bytes(of name: String) throws -> [UInt8] {
        let contents = try LogFile(path(name)).contents()
        defer { contents.deallocate() }
        return [UInt8](contents)
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        let file = try LogFile(path(name), create: true)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
    }
}

/// A log with small segments.
struct LogFixture {
    let directory: TestDirectory
    var options: WriteAheadLog.Options

    init(_ directory: TestDirectory = TestDirectory(), segmentBytes: Int = 16 << 10) {
        self.directory = directory
        options = WriteAheadLog.Options()
        options.segmentBytes = segmentBytes
        options.identity = Array("a log under test".utf8)
    }

    func open() throws -> (log: WriteAheadLog, records: [[UInt8]]) {
        var records: [[UInt8]] = []
        let log = try WriteAheadLog.open(directory.path, options: options) { records.append([UInt8]($0)) }
        return (log, records)
    }

    /// Opens and closes without a trace, as after a crash.
    func records() throws -> [[UInt8]] { try open().records }

    /// Leaves a log with these batches, each synchronised, as a process that died would.
    func leave(_ batches: [[[UInt8]]]) throws {
        let log = try open().log
        for batch in batches {
            for record in batch { try log.append(record) }
            try log.synchronize()
        }
    }
}

/// Records that all differ, of `count` lengths beginning at `shortest`.
func someRecords(_ count: Int, shortest: Int = 0) -> [[UInt8]] {
    (0..<count).map { number in (0..<shortest + number).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) } }
}
