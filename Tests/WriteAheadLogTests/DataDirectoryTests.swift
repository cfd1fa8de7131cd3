import Glibc
import Testing

@testable import WriteAheadLog

@Suite struct DataDirectoryTests {
    private let identity = DataDirectory.Identity(clusterID: 0xAB, memberID: 0xCD)

    @Test("a directory remembers whose it is and refuses others")
    func identityIsKept() throws {
        let parent = TestDirectory()
        let path = parent.path("nested/data")
        do {
            let directory = try DataDirectory.open(path)
            #expect(directory.identity == nil)
            try directory.claim(identity)
            try directory.claim(identity)
        }
        let directory = try DataDirectory.open(path)
        #expect(directory.identity == identity)
        for other in [
            DataDirectory.Identity(clusterID: 1, memberID: 0xCD), .init(clusterID: 0xAB, memberID: 1),
        ] {
            #expect { try directory.claim(other) } throws: {
                ($0 as? DataDirectoryError)?.code == .foreign
            }
        }
    }

    @Test("two may not use a directory at once, and the second may when the first is gone")
    func lock() throws {
        let parent = TestDirectory()
        let first = try DataDirectory.open(parent.path)
        #expect {
            try DataDirectory.open(parent.path)
        } throws: { error in
            let error = error as? DataDirectoryError
            return error?.code == .inUse && error!.message.contains("process \(getpid())")
        }
        first.close()
        _ = try DataDirectory.open(parent.path)
    }

    @Test("every change to the identity file is noticed")
    func damagedIdentity() throws {
        let parent = TestDirectory()
        do { try DataDirectory.open(parent.path).claim(identity) }
        let whole = try parent.bytes(of: DataDirectory.identityName)
        for position in whole.indices {
            var bytes = whole
            bytes[position] ^= 4
            try parent.write(bytes, to: DataDirectory.identityName)
            #expect(throws: DataDirectoryError.self) { try DataDirectory.open(parent.path) }
        }
        try parent.write(whole, to: DataDirectory.identityName)
        #expect(try DataDirectory.open(parent.path).identity == identity)
    }

    @Test("a file is replaced as a whole, and a left-over draft is cleared away")
    func replace() throws {
        let parent = TestDirectory()
        try parent.write([1], to: "settings.tmp")
        let directory = try DataDirectory.open(parent.path)
        #expect(!parent.names.contains("settings.tmp"))
        #expect(try directory.read("settings") == nil)
        try directory.replace("settings", with: [1, 2, 3])
        try directory.replace("settings", with: [4])
        #expect(try directory.read("settings") == [4])
    }
}
