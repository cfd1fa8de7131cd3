import Automata
import Paxos
import Testing

@testable import Replica

@Suite("Wire forms") struct CodingTests {
    /// Values with everything in them, drawn from a seed.
    private struct Values {
        var draws: SplitMix
        init(_ seed: UInt64) { draws = SplitMix(seed: seed) }

        mutating func number() -> UInt64 {
            let bits = UInt64(draws.below(62))
            return draws.next() & ((1 << bits) - 1)
        }
        mutating func process() -> ProcessID { ProcessID(draws.next()) }
        mutating func slot() -> Slot { Slot(number() + 1) }
        mutating func ballot() -> Ballot { Ballot(round: number(), process: process()) }
        mutating func id() -> ProposalID { ProposalID(process: process(), number: draws.next()) }
        mutating func payload() -> Payload {
            Payload((0..<draws.below(40)).map { _ in UInt8(truncatingIfNeeded: draws.next()) })
        }
        mutating func list<T>(_ make: (inout Values) -> T) -> [T] {
            (0..<draws.below(5)).map { _ in make(&self) }
        }
        mutating func quorums(_ voters: [ProcessID]) -> QuorumSystem {
            switch draws.below(4) {
            case 0: .majority
            case 1: .flexible(phase1: voters.count, phase2: 1)
            case 2:
                .weighted(
                    voters.map { .init($0, 2) }, phase1: UInt64(2 * voters.count), phase2: 1)
            default: .grid(rows: [voters])
            }
        }
        mutating func configuration() -> Configuration {
            let voters = (0...draws.below(4)).map { ProcessID(UInt64($0) &* 0x1234_5678_9abc_def1) }
            let learners = draws.chance(50) ? [ProcessID(UInt64.max)] : []
            let quorums = quorums(voters.sorted())
            guard
                let it = try? Configuration(
                    epoch: number() + 1, voters: voters, learners: learners, quorums: quorums)
            else { preconditionFailure("\(voters) \(quorums)") }
            return it
        }
        mutating func entries() -> [Entry] {
            var last = id()
            return list { values in
                switch values.draws.below(5) {
                case 0: return .noop
                case 1: return .configuration(values.id(), values.configuration())
                case 2: last = values.id()
                default: last = ProposalID(process: last.process, number: last.number &+ 1)
                }
                return .payload(last, values.payload())
            }
        }
        mutating func change() -> ConfigurationChange {
            switch draws.below(5) {
            case 0: .add(process(), asLearner: draws.chance(50))
            case 1: .remove(process())
            case 2: .replace(process(), with: process())
            case 3: .promote(process())
            default: .setQuorums(quorums([ProcessID(1), ProcessID(2)]))
            }
        }
        mutating func chunk() -> AcceptedChunk {
            let first = slot()
            let entries = entries()
            var runs: [AcceptedLog.Run] = []
            for offset in entries.indices where offset == 0 || draws.chance(40) {
                runs.append(.init(first: first.advanced(by: offset), ballot: ballot()))
            }
            return AcceptedChunk(first: first, entries: entries, runs: runs)
        }
        mutating func message(_ kind: Int) -> ReplicaMessage {
            switch kind {
            case 0: .canvass(.init(ballot: ballot(), epoch: number()))
            case 1: .canvassed(.init(ballot: ballot(), granted: draws.chance(50), promised: ballot()))
            case 2:
                .prepare(
                    .init(
                        ballot: ballot(), epoch: number(), from: slot(),
                        successorOf: draws.chance(50) ? ballot() : nil, progress: number()))
            case 3:
                .promise(
                    .init(
                        ballot: ballot(), epoch: number(), chosenUpTo: slot(), floor: slot(), last: slot(),
                        chunk: chunk()))
            case 4: .nack(.init(refused: ballot(), promised: ballot()))
            case 5: .dismissed(epoch: number())
            case 6:
                .accept(
                    .init(
                        ballot: ballot(), epoch: number(), first: slot(), entries: entries(),
                        chosenUpTo: slot()))
            case 7: .accepted(.init(ballot: ballot(), upTo: slot()))
            case 8: .missing(.init(ballot: ballot(), from: slot()))
            case 9: .chosen(.init(ballot: ballot(), upTo: slot()))
            case 10:
                .heartbeat(
                    .init(
                        ballot: ballot(), round: number(), chosenUpTo: slot(), isPulse: draws.chance(50)))
            case 11:
                .heartbeatAnswer(
                    .init(ballot: ballot(), round: number(), acceptedUpTo: slot(), chosenUpTo: slot()))
            case 12: .checkpointWanted(behind: slot())
            case 13: .takeOver(ballot: ballot())
            case 14:
                .forward(
                    .init(
                        ballot: ballot(), incarnation: number(), sequence: number(),
                        request: .proposals(list { Proposal(id: $0.id(), payload: $0.payload()) })))
            case 15:
                .forward(
                    .init(
                        ballot: ballot(), incarnation: number(), sequence: number(),
                        request: .reconfiguration(id(), change())))
            case 16:
                .forwardRefused(

                    .init(
                        incarnation: number(), sequence: number(), proposals: list { $0.id() }, refusal: .busy
                    ))
            case 17: .readRequest(.init(incarnation: number(), number: number()))
            case 18: .readAnswer(.init(incarnation: number(), number: number(), ballot: ballot(), at: slot()))
            default: .readAnswer(.init(incarnation: number(), number: number(), ballot: ballot(), at: nil))
            }
        }
        mutating func record(_ kind: Int) -> ReplicaRecord {
            switch kind {
            case 0: .started(incarnation: number(), isMember: draws.chance(50))
            case 1: .promised(ballot())
            case 2:
                .accepted(.init(ballot: ballot(), first: slot(), entries: entries(), chosenUpTo: slot()))
            case 3: .chosen(upTo: slot())
            default: .floor(slot())
            }
        }
    }

    private func decodeMessage(_ bytes: [UInt8]) throws -> ReplicaMessage {
        try bytes.withUnsafeBytes { try ReplicaMessage(decoding: $0) }
    }
    private func decodeRecord(_ bytes: [UInt8]) throws -> ReplicaRecord {
        try bytes.withUnsafeBytes { try ReplicaRecord(decoding: $0) }
    }

    @Test("messages, records and configurations come back as they were")
    func roundTrip() throws {
        var values = Values(1)
        for round in 0..<600 {
            let message = values.message(round % 20)
            var bytes: [UInt8] = []
            message.encode(into: &bytes)
            #expect(try decodeMessage(bytes) == message)

            let record = values.record(round % 5)
            bytes = []
            record.encode(into: &bytes)
            #expect(try decodeRecord(bytes) == record)

            let configuration = values.configuration()
            bytes = []
            configuration.encode(into: &bytes)
            #expect(try bytes.withUnsafeBytes { try Configuration(decoding: $0) } == configuration)
        }
        var bytes: [UInt8] = []
        Configuration.unknown.encode(into: &bytes)
        #expect(try bytes.withUnsafeBytes { try Configuration(decoding: $0) } == .unknown)
    }

    @Test("bytes that end early are refused, wherever they end")
    func truncated() {
        var values = Values(2)
        for kind in 0..<20 {
            var bytes: [UInt8] = []
            values.message(kind).encode(into: &bytes)
            for length in bytes.indices {
                #expect(throws: WireError.self) { try decodeMessage(Array(bytes[..<length])) }
            }
            #expect(throws: WireError.trailingBytes(1)) { try decodeMessage(bytes + [0]) }
        }
    }

    @Test("random and mutated bytes give a value or an error, and never more than they can justify")
    func fuzz() {
        var values = Values(3)
        for round in 0..<6000 {
            var bytes: [UInt8] = []
            switch round % 3 {
            case 0: values.message(round % 20).encode(into: &bytes)
            case 1: values.record(round % 5).encode(into: &bytes)
            default:
                bytes = [1, UInt8(values.draws.below(24))]
                for _ in 0..<values.draws.below(60) {
                    bytes.append(UInt8(truncatingIfNeeded: values.draws.next()))
                }
            }
            for _ in 0..<values.draws.below(4) where !bytes.isEmpty {
                let place = values.draws.below(bytes.count)
                switch values.draws.below(3) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: values.draws.next())
                case 1: bytes.remove(at: place)
                default: bytes.insert(0xff, at: place)
                }
            }
            if let message = try? decodeMessage(bytes) {
                // Whatever was understood is written the same way again.
                var again: [UInt8] = []
                message.encode(into: &again)
                #expect((try? decodeMessage(again)) == message)
            }
            if let record = try? decodeRecord(bytes) {
                var again: [UInt8] = []
                record.encode(into: &again)
                #expect((try? decodeRecord(again)) == record)
            }
        }
    }

    @Test("a count beyond what follows is refused before anything is made for it")
    func counts() {
        var record: [UInt8] = [1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]
        record += [UInt8](repeating: 0xff, count: 8)
        record.append(0x7f)
        #expect(throws: WireError.truncated) { try decodeRecord(record) }
    }

    @Test("other versions and tags are told apart from damage")
    func versions() {
        #expect(throws: WireError.unknownVersion(2)) { try decodeMessage([2, 1]) }
        #expect(throws: WireError.unknownTag(99)) { try decodeMessage([1, 99]) }
        #expect(throws: WireError.unknownTag(99)) { try decodeRecord([1, 99]) }
        #expect(throws: WireError.truncated) { try decodeMessage([]) }
    }

    @Test("the stored form is fixed: logs of earlier builds must be read")
    func golden() {
        func bytes(_ record: ReplicaRecord) -> [UInt8] {
            var bytes: [UInt8] = []
            record.encode(into: &bytes)
            return bytes
        }
        let ballot = Ballot(round: 300, process: ProcessID(2))
        #expect(bytes(.started(incarnation: 5, isMember: true)) == [1, 1, 5, 1])
        #expect(bytes(.promised(ballot)) == [1, 2, 0xac, 2, 2, 0, 0, 0, 0, 0, 0, 0])
        #expect(bytes(.chosen(upTo: Slot(128))) == [1, 4, 0x80, 1])
        #expect(bytes(.floor(Slot(7))) == [1, 5, 7])
        let entries: [Entry] = [
            .payload(ProposalID(process: ProcessID(1), number: 9), Payload("ab")),
            .payload(ProposalID(process: ProcessID(1), number: 10), Payload("")), .noop,
            .configuration(
                ProposalID(process: ProcessID(1), number: 1), Configuration(epoch: 2, voters: [ProcessID(3)])),
        ]
        let acceptance = ReplicaRecord.Acceptance(
            ballot: ballot, first: Slot(4), entries: entries, chosenUpTo: Slot(3))
        let expected: [[UInt8]] = [
            [1, 3], [0xac, 2, 2, 0, 0, 0, 0, 0, 0, 0], [4], [3], [4],
            [2, 1, 0, 0, 0, 0, 0, 0, 0, 9, 2, 97, 98],
            [1, 0],
            [0],
            [3, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ]
        #expect(bytes(.accepted(acceptance)) == expected.flatMap { $0 })
    }

    @Test("a batch of proposals of one process costs two bytes an entry beside its payload")
    func compact() {
        let entries = (1...100).map {
            Entry.payload(ProposalID(process: ProcessID(77), number: $0), Payload("0123456789"))
        }
        var bytes: [UInt8] = []
        ReplicaMessage.accept(
            .init(
                ballot: Ballot(round: 1, process: ProcessID(77)), epoch: 1, first: Slot(1), entries: entries,
                chosenUpTo: .zero)
        ).encode(into: &bytes)
        #expect(bytes.count <= 100 * 12 + 32)
    }
}
