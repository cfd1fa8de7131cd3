import Automata
import Coordination
import Paxos
import Testing

@testable import Member

@Suite("What members understand") struct VocabularyTests {
    /// Of a family that no earlier program knows.
    private let later = EntryPayload.encode(Command(space: SpaceID(rawValue: 9), version: 2, payload: [1]))

    /// Understands commands of that family up to this version, besides the key-value space's.
    private func said(_ process: UInt64, _ latest: UInt8) throws -> MemberVersions {
        let bytes: [UInt8] = [2, 1, 1, 9, latest]
        return MemberVersions(
            ProcessID(process), try bytes.withUnsafeBytes { try CommandVersions(decoding: $0) })
    }

    /// What becomes of a command of that family, version 2, when the others have said this.
    private func isRefused(_ heard: [MemberVersions], voters: [UInt64] = [1, 2, 3]) throws -> Bool {
        var desk = try MemberDesk(voters: voters)
        desk.tell(.understood(heard))
        desk.ask(.command(later))
        guard case .failure(.notUnderstoodByAll)? = desk.answers.first?.result else { return false }
        return true
    }

    @Test("a command is proposed once every other member has said that it understands it, and no earlier")
    func understood() throws {
        let (two, three, less) = (try said(2, 2), try said(3, 3), try said(3, 1))
        #expect(try isRefused([]))
        #expect(try isRefused([two]))
        #expect(try isRefused([two, less]))
        #expect(try !isRefused([two, three]))
        #expect(try isRefused([MemberVersions(ProcessID(2), .base), three]))
    }

    @Test("what every program understands is proposed whatever is known of the others")
    func base() throws {
        var desk = try MemberDesk(voters: [1, 2, 3])
        desk.put("a")
        #expect(desk.answers.isEmpty)
        #expect(CommandVersions.base.understands(version: KeyValueCommand.currentVersion, of: .keyValue))
    }

    @Test("who is alone asks nobody")
    func alone() throws {
        #expect(try !isRefused([], voters: [1]))
    }

    @Test("the wire form is read as it was written, and nothing else is")
    func wire() throws {
        let own = CommandVersions().encoded
        #expect(own == [1, 1, 1])
        let read = try own.withUnsafeBytes { try CommandVersions(decoding: $0) }
        #expect(read == CommandVersions())
        for bytes in [[], [1, 1], [1, 1, 1, 1], [2, 1, 1]] as [[UInt8]] {
            #expect(throws: CommandDecodingError.self) {
                try bytes.withUnsafeBytes { try CommandVersions(decoding: $0) }
            }
        }
    }
}
