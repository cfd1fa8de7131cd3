import Coordination
import Testing

@Suite("The wire form of commands") struct CommandWireTests {
    /// Whose it is its first byte tells, as it tells the ledger.
    private func decode(_ encoded: [UInt8]) throws -> TestCommand {
        (5...9).contains(encoded.first ?? 0)
            ? .ledger(try LedgerCommand(decoding: encoded, version: LedgerCommand.currentVersion))
            : .keyValue(try KeyValueCommand(decoding: encoded, version: KeyValueCommand.currentVersion))
    }

    private static let others: [TestCommand] =
        [.keyValue(.compact(revision: -1)), .keyValue(.compact(revision: .max))]
        + ([
            .grantLease(LeaseID(.min), seconds: .max),
            .revokeLease(LeaseID(1)), .expireLeases([]), .expireLeases([LeaseID(1), LeaseID(-1)]),
            .setAlarm(Alarm(member: .max, kind: .corrupt), raised: false),
            .setAlarm(Alarm(member: 0, kind: .noSpace), raised: true),
            .publishMember(id: .max, name: "ä", peerURLs: [], clientURLs: ["a", ""]),
        ] as [LedgerCommand]).map(TestCommand.ledger)

    @Test("every command is read as it was written")
    func roundTrip() throws {
        var commands = RandomCommands(seed: 21)
        let random = (1...2000).map { _ in commands.command(revision: 1000, compactRevision: -1) }
        for command in Self.others + random { #expect(try decode(command.encoded()) == command) }
    }

    @Test("a put takes little more than its key and value")
    func size() {
        let put = KeyValueCommand.put(
            PutOperation(key: bytes("key"), value: [UInt8](repeating: 7, count: 256)))
        #expect(put.encoded().count == 3 + 256 + 5)
        #expect(put.command.payload == put.encoded() && put.command.version == KeyValueCommand.currentVersion)
    }

    @Test("the bytes of version 1 do not change")
    func golden() {
        var put = PutOperation(key: [1, 2], value: [3])
        put.lease = 300
        put.previousKeyValue = true
        #expect(KeyValueCommand.put(put).encoded() == [1, 9, 2, 1, 2, 1, 3, 0xAC, 2])
        #expect(
            KeyValueCommand.delete(DeleteOperation(range: KeyRange(key: [1], end: []))).encoded() == [
                2, 0, 1, 1, 1, 0,
            ])
        var transaction = KeyValueTransaction()
        transaction.compares = [Compare(range: KeyRange(key: [1]), relation: .less, operand: .modRevision(5))]
        transaction.success = [.range(RangeQuery(range: KeyRange(key: [2])))]
        #expect(
            KeyValueCommand.transaction(transaction).encoded() == [
                3, 1, 1, 1, 0, 2, 2, 5, 1, 0, 1, 2, 0, 0, 0, 0, 0, 0,
            ])
        #expect(KeyValueCommand.compact(revision: 5).encoded() == [4, 5])
        #expect(LedgerCommand.grantLease(LeaseID(1), seconds: 2).encoded() == [5, 1, 2])
        #expect(LedgerCommand.revokeLease(LeaseID(1)).encoded() == [6, 1])
        #expect(LedgerCommand.expireLeases([LeaseID(1)]).encoded() == [7, 1, 1])
        #expect(
            LedgerCommand.setAlarm(Alarm(member: 1, kind: .noSpace), raised: true).encoded() == [
                8, 1, 1, 1,
            ])
        #expect(
            LedgerCommand.publishMember(id: 1, name: "a", peerURLs: ["b"], clientURLs: []).encoded()
                == [9, 1, 1, 97, 1, 1, 98, 0])
    }

    @Test("another version is refused by its number")
    func version() {
        #expect(throws: CommandDecodingError.unknownVersion(2)) {
            try KeyValueCommand(decoding: KeyValueCommand.compact(revision: 1).encoded(), version: 2)
        }
    }

    @Test("a command that is cut short, or goes on, is refused")
    func cut() {
        var commands = RandomCommands(seed: 22)
        for command in Self.others
            + (1...200).map({ _ in commands.command(revision: 1000, compactRevision: -1) })
        {
            let encoded = command.encoded()
            for count in 0..<encoded.count {
                #expect(throws: CommandDecodingError.self) { try decode(Array(encoded[..<count])) }
            }
            #expect(throws: CommandDecodingError.self) { try decode(encoded + [0]) }
        }
    }

    @Test("bytes that are changed or made up are either refused or a command that is written as such")
    func fuzz() throws {
        var commands = RandomCommands(seed: 23)
        for _ in 1...20_000 {
            var encoded: [UInt8]
            if commands.numbers.chance(50) {
                encoded = commands.command(revision: 1000, compactRevision: -1).encoded()
                for _ in 0...commands.numbers.below(3) {
                    encoded[commands.numbers.below(encoded.count)] = UInt8(
                        truncatingIfNeeded: commands.numbers.next())
                }
            } else {
                encoded = (0..<commands.numbers.below(40)).map { _ in
                    UInt8(truncatingIfNeeded: commands.numbers.next())
                }
                if !encoded.isEmpty { encoded[0] = UInt8(1 + commands.numbers.below(9)) }
            }
            guard let command = try? decode(encoded) else { continue }
            #expect(try decode(command.encoded()) == command)
        }
    }

    @Test("lengths beyond the end and endless nesting are refused without taking memory or stack")
    func hostile() {
        let huge: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
        #expect(throws: CommandDecodingError.truncated) { try decode([1, 0] + huge) }
        #expect(throws: CommandDecodingError.truncated) { try decode([7] + huge) }
        #expect(throws: CommandDecodingError.malformed) { try decode([4] + huge + [0xFF, 0x7F]) }
        let nested = [3] + repeatElement([0, 1, 3] as [UInt8], count: 100_000).joined()
        #expect(throws: CommandDecodingError.tooDeep) { try decode(nested) }
    }
}
