import Automata
import Foundation
import Testing
import WriteAheadLog

@testable import Runtime

/// Files of the operating system whose writes and syncs do not return while a test says so.
private final class HangingFiles: FileSystem {
    private let gate = NSCondition()
    nonisolated(unsafe) private var hangs = false

    func hang(_ hangs: Bool) {
        gate.withLock {
            self.hangs = hangs
            gate.broadcast()
        }
    }

    private func pass() {
        gate.withLock { while hangs { gate.wait() } }
    }

    private final class File: OpenFile {
        let file: any OpenFile
        let files: HangingFiles

        init(_ file: any OpenFile, _ files: HangingFiles) { (self.file, self.files) = (file, files) }

        var sizeAtOpening: Int { file.sizeAtOpening }
        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
            try file.read(into: buffer, at: offset)
        }
        func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
            files.pass()
            try file.write(bytes, at: offset)
        }
        func writeDurably(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileError) {
            files.pass()
            try file.writeDurably(bytes, at: offset)
        }
        func reserve(_ range: Range<Int>) throws(FileError) { try file.reserve(range) }
        func synchronize() throws(FileError) {
            files.pass()
            try file.synchronize()
        }
    }

    private let system = SystemFiles.shared
    func create(_ path: String) throws(FileError) -> any OpenFile { File(try system.create(path), self) }
    func open(_ path: String) throws(FileError) -> any OpenFile { File(try system.open(path), self) }
    func names(in directory: String) throws(FileError) -> [String] { try system.names(in: directory) }
    func rename(_ path: String, to new: String) throws(FileError) { try system.rename(path, to: new) }
    func remove(_ path: String) throws(FileError) { try system.remove(path) }
    func makeDirectory(_ path: String) throws(FileError) { try system.makeDirectory(path) }
    func synchronizeDirectory(_ path: String) throws(FileError) { try system.synchronizeDirectory(path) }
}

@Suite("A log's disk that hangs") struct HangingDiskTests {
    @Test("a leader whose disk hangs gives way to one that can write, and takes part again when it can")
    func leaderGivesWay() throws {
        let files = ["n1": HangingFiles(), "n2": HangingFiles(), "n3": HangingFiles()]
        let cluster = TestCluster(size: 3) { $0.logFiles = files[$0.name]! }
        defer { for one in files.values { one.hang(false) } }
        try cluster.startAll()
        let slow = try #require(cluster.leader())
        let other = TestClient(cluster.servers[cluster.names.first { $0 != slow }!]!)
        try other.call(put("before"))
        files[slow]!.hang(true)
        // The others' disks suffice to choose.
        try other.call(put("meanwhile"))
        #expect(eventually { cluster.leader().map { $0 != slow } == true })
        #expect(cluster.hasLogged("the log's disk has finished nothing"))
        for number in 0..<100 { try other.call(put("after\(number)")) }
        files[slow]!.hang(false)
        #expect(eventually { Set(cluster.servers.values.map(\.contentHash)).count == 1 })
        #expect(try TestClient(cluster.servers[slow]!).get("after99") == "v")
    }
}
