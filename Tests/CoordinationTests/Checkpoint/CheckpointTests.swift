import Coordination
import Testing

@Suite("Checkpoints") struct CheckpointTests {
    @Test(
        "a store is in every table as it was, however the stream is cut, in pieces of the size that was asked for"
    )
    func roundTrip() throws {
        var numbers = SeededNumbers(seed: 41)
        for seed in 1...20 {
            let harness = try CheckpointSample.random(seed: UInt64(seed))
            let pieces = try CheckpointSample.pieces(of: harness.store, pieceBytes: 1 + numbers.below(400))
            let store = MemoryStore()
            var stream = CheckpointStream(families: CheckpointSample.families)
            var rest = pieces.flatMap(\.enveloped)[...]
            while !rest.isEmpty {
                let slice = Array(rest.prefix(1 + numbers.below(300)))
                rest = rest.dropFirst(slice.count)
                try slice.withUnsafeBytes { try stream.receive($0, into: store) }
            }
            try stream.expectEnd()
            try store.read { try stream.contents.judge($0) }
            let (found, written) = (
                try CheckpointSample.rows(of: store), try CheckpointSample.rows(of: harness.store)
            )
            #expect(found == written)
            #expect(stream.contents.head?.revision == harness.ledger.revision)
        }
    }

    @Test("a piece holds what was asked for and at most one row beyond it")
    func pieceSize() throws {
        let harness = try SpaceHarness()
        for number in 0..<100 { try harness.put("key \(number)", String(repeating: "v", count: 90)) }
        try harness.put("large", String(repeating: "v", count: 10_000))
        let pieces = try CheckpointSample.pieces(of: harness.store, pieceBytes: 1000)
        let sizes = pieces.map(\.body.count).sorted()
        #expect(pieces.count > 20 && sizes.dropLast().last! < 1300 && sizes.last! < 12_000)
    }

    @Test("whatever is cut off its end is missed")
    func torn() throws {
        let bytes = try CheckpointSample.stream()
        for count in 0..<bytes.count {
            let error = CheckpointSample.complaint(about: Array(bytes[..<count]))
            #expect(error?.code == .torn, "\(count) of \(bytes.count) bytes: \(String(describing: error))")
        }
        #expect(CheckpointSample.complaint(about: bytes) == nil)
        #expect(CheckpointSample.complaint(about: bytes + [0])?.code == .damaged)
    }

    @Test("any bit that is turned is noticed")
    func damage() throws {
        let bytes = try CheckpointSample.stream()
        for position in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << bit
                let error = CheckpointSample.complaint(about: damaged)
                #expect(error != nil, "byte \(position), bit \(bit)")
            }
        }
    }

    @Test("a wrong length is told from a long piece at once, and so is what is no checkpoint")
    func foreign() throws {
        for text in ["", "short", "-----BEGIN CERTIFICATE-----", String(repeating: "\0", count: 5000)] {
            let error = CheckpointSample.complaint(about: Array(text.utf8))
            #expect(error?.code == (text.utf8.count < 12 ? .torn : .foreign), "\(text)")
        }
    }

    @Test("a piece that is missing, twice there or in another place is noticed")
    func order() throws {
        let harness = try CheckpointSample.random(seed: 3)
        let pieces = try CheckpointSample.pieces(of: harness.store, pieceBytes: 200)
        #expect(pieces.count > 6)
        func complains(_ pieces: [CheckpointPiece]) -> Bool {
            CheckpointSample.complaint(about: pieces.flatMap(\.enveloped)) != nil
        }
        #expect(!complains(pieces))
        for index in pieces.indices {
            var changed = pieces
            changed.remove(at: index)
            #expect(complains(changed), "without piece \(index)")
            changed.insert(pieces[index], at: index)
            changed.insert(pieces[index], at: index)
            #expect(complains(changed), "piece \(index) twice")
            guard index + 1 < pieces.count else { continue }
            changed = pieces
            changed.swapAt(index, index + 1)
            #expect(complains(changed), "pieces \(index) and \(index + 1) exchanged")
        }
    }

    @Test("what a later program has written is refused, and the message names what is not known")
    func unknown() throws {
        let harness = try CheckpointSample.random(seed: 4)
        let head = try harness.store.read { try CheckpointHead(of: $0, families: CheckpointSample.families) }
        func complaint(_ change: (inout CheckpointHead) -> Void) -> CheckpointError? {
            var changed = head
            change(&changed)
            return CheckpointSample.complaint(about: CheckpointPiece(.head, changed.encoded()).enveloped)
        }
        func expect(_ words: String, _ change: (inout CheckpointHead) -> Void) {
            let error = complaint(change)
            #expect(
                error?.code == .unknown && error?.message.contains(words) == true,
                "\(String(describing: error))")
        }
        expect("the table \"tomorrow\"") { $0.tables.append(.init(number: 99, name: "tomorrow")) }
        expect("the space 77") {
            $0.spaces.append(.init(space: SpaceID(rawValue: 77), commands: 1, tables: 1))
        }
        expect("commands of version 200") { $0.spaces[0].commands = 200 }
        expect("tables of version 2") { $0.spaces[0].tables = 2 }
        // The format stands behind the magic.
        var body = head.encoded()
        body[8] = 2
        let error = CheckpointSample.complaint(about: CheckpointPiece(.head, body).enveloped)
        #expect(error?.code == .unknown && error?.message.contains("format 2") == true)
    }

    @Test(
        "a family that holds nothing is not named, and no later commands than a member knows for which it is meant"
    )
    func spaces() throws {
        func spaces(of harness: SpaceHarness, for receiver: CommandVersions? = nil) throws -> [CheckpointHead
            .SpaceVersions]
        {
            try harness.store.read {
                try CheckpointHead(of: $0, families: CheckpointSample.families, receiver: receiver).spaces
            }
        }
        let keyValue = CheckpointHead.SpaceVersions(space: .keyValue, commands: 1, tables: 1)
        let registry = CheckpointHead.SpaceVersions(space: .registry, commands: 1, tables: 1)
        let sample = try CheckpointSample.random(seed: 12)
        #expect(try spaces(of: sample) == [keyValue, registry])
        #expect(try spaces(of: SpaceHarness()) == [keyValue])
        let bytes: [UInt8] = [1, 1, 0]
        let earlier = try bytes.withUnsafeBytes { try CommandVersions(decoding: $0) }
        #expect(try spaces(of: sample, for: earlier).map(\.commands) == [0, 1])
    }

    @Test("tables go by their names, whatever numbers they have")
    func renumbered() throws {
        let harness = try CheckpointSample.random(seed: 5)
        var pieces = try CheckpointSample.pieces(of: harness.store, pieceBytes: 1)
        var head = try pieces[0].body.withUnsafeBytes { try CheckpointHead(decoding: $0) }
        for index in head.tables.indices { head.tables[index].number += 50 }
        pieces[0].body = head.encoded()
        for index in pieces.indices where pieces[index].kind == .rows { pieces[index].body[8] += 50 }
        let found = try CheckpointSample.store(of: pieces.flatMap(\.enveloped))
        let written = try CheckpointSample.rows(of: harness.store)
        #expect(found == written)
    }

    @Test("a bare head is what members that speak version 2 of the peer protocol read and write")
    func bare() throws {
        let harness = try CheckpointSample.random(seed: 6)
        try harness.store.write {
            try AppliedState.setSlot(0x0102, in: $0)
            try AppliedState.setConfiguration([7, 8, 9], in: $0)
        }
        let pieces = try CheckpointSample.pieces(of: harness.store, pieceBytes: 100, isBare: true)
        #expect(pieces[0].body == [2, 1, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 7, 8, 9])
        let found = try CheckpointSample.store(of: pieces.flatMap(\.enveloped))
        let written = try CheckpointSample.rows(of: harness.store)
        #expect(found == written)
    }

    @Test("rows that are not those of the head are noticed")
    func otherRows() throws {
        let (one, two) = (try CheckpointSample.random(seed: 7), try CheckpointSample.random(seed: 8))
        var pieces = try CheckpointSample.pieces(of: one.store, pieceBytes: 1 << 20)
        pieces[0] = try CheckpointSample.pieces(of: two.store, pieceBytes: 1 << 20)[0]
        #expect(CheckpointSample.complaint(about: pieces.flatMap(\.enveloped))?.code == .damaged)
    }

    @Test("no bytes crash the reader, be they noise or a checkpoint with errors that its checks do not show")
    func noise() throws {
        var numbers = SeededNumbers(seed: 42)
        let pieces = try CheckpointSample.pieces(of: CheckpointSample.random(seed: 9).store, pieceBytes: 150)
        for _ in 0..<5000 {
            var changed = pieces
            for _ in 0...numbers.below(3) {
                let index = numbers.below(changed.count)
                switch numbers.below(4) {
                case 0: changed[index].body = (0..<numbers.below(60)).map { _ in UInt8(numbers.below(256)) }
                case 1 where !changed[index].body.isEmpty:
                    changed[index].body[numbers.below(changed[index].body.count)] = UInt8(numbers.below(256))
                case 2: changed[index].body.removeLast(min(changed[index].body.count, numbers.below(20)))
                default:
                    changed[index].body += [UInt8](
                        repeating: UInt8(numbers.below(3)), count: numbers.below(20))
                }
            }
            _ = CheckpointSample.complaint(about: changed.flatMap(\.enveloped))
            _ = CheckpointSample.complaint(
                about: (0..<numbers.below(100)).map { _ in UInt8(numbers.below(256)) })
        }
    }

    @Test("two checkpoints have the same digest only when they hold the same")
    func digest() throws {
        func digest(_ bytes: [UInt8]) throws -> UInt64 {
            var stream = CheckpointStream(families: CheckpointSample.families)
            try bytes.withUnsafeBytes { try stream.verify($0) }
            return stream.digest
        }
        let bytes = try CheckpointSample.stream()
        let known = try digest(bytes)
        #expect(try digest(bytes) == known)
        let harness = try CheckpointSample.random(seed: 1)
        try harness.put("one more")
        let other = try CheckpointSample.pieces(of: harness.store, pieceBytes: 300).flatMap(\.enveloped)
        #expect(try digest(other) != known)
    }
}
