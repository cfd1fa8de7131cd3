import Automata
import Paxos
import Testing

@testable import Replica

@Suite("Founding") struct FoundingTests {
    private let members = (1...3).map { ProcessID($0) }

    private func founding(_ process: UInt64, disk: UInt64, isNew: Bool = true) -> Founding {
        var settings = Founding.Settings(
            process: ProcessID(process), disk: DiskID(disk), members: members, nonce: 900 + disk)
        settings.isNew = isNew
        return Founding(settings: settings)
    }

    private func outputs(_ founding: inout Founding, _ input: Founding.Input) -> [Founding.Output] {
        var outputs: [Founding.Output] = []
        founding.step(input, at: .zero, into: &outputs)
        return outputs.filter { if case .setTimer = $0 { false } else { true } }
    }

    private func empty(_ from: UInt64, disk: UInt64, asking: UInt64) -> Founding.Input {
        .received(.empty(disk: DiskID(disk), asking: DiskID(asking)), from: ProcessID(from))
    }

    @Test(
        "the first member forms the cluster once it has heard all others, and takes part once that is durable"
    )
    func all() {
        var first = founding(1, disk: 11)
        #expect(outputs(&first, .start).count == 2)
        #expect(outputs(&first, empty(2, disk: 22, asking: 11)).isEmpty)
        #expect(first.missing == [ProcessID(3)])
        let recording = outputs(&first, empty(3, disk: 33, asking: 11))
        guard case .record(let formation)? = recording.first, recording.count == 1 else {
            Issue.record("\(recording)")
            return
        }
        #expect(formation.founders.map(\.disk.rawValue) == [11, 22, 33])
        #expect(formation.configuration.voters == members && formation.configuration.epoch == 1)
        // Until it is durable nothing is said, not even that there is none.
        #expect(outputs(&first, .received(.question(disk: DiskID(22)), from: ProcessID(2))).isEmpty)
        #expect(outputs(&first, .recorded) == [.begin(formation)])
        #expect(
            outputs(&first, .received(.question(disk: DiskID(22)), from: ProcessID(2)))
                == [.send(.formed(formation, asking: DiskID(22)), to: ProcessID(2))])
    }

    @Test("nobody but the first member forms a cluster, and none that joins one")
    func onlyTheFirst() {
        var second = founding(2, disk: 22)
        _ = outputs(&second, .start)
        _ = outputs(&second, empty(1, disk: 11, asking: 22))
        #expect(outputs(&second, empty(3, disk: 33, asking: 22)).isEmpty)
        var joining = founding(1, disk: 11, isNew: false)
        _ = outputs(&joining, .start)
        _ = outputs(&joining, empty(2, disk: 22, asking: 11))
        #expect(outputs(&joining, empty(3, disk: 33, asking: 11)).isEmpty)
    }

    @Test("an answer that another disk had asked for is not believed")
    func boundAnswers() {
        var first = founding(1, disk: 12)
        _ = outputs(&first, .start)
        _ = outputs(&first, empty(2, disk: 22, asking: 11))
        #expect(first.missing.count == 2)
        let other = Formation(nonce: 5, founders: [.init(ProcessID(1), DiskID(11))])
        #expect(
            outputs(&first, .received(.formed(other, asking: DiskID(11)), from: ProcessID(2))).isEmpty)
    }

    @Test("a member that was heard and is gone again is waited for")
    func aging() {
        var first = founding(1, disk: 11)
        _ = outputs(&first, .start)
        _ = outputs(&first, empty(2, disk: 22, asking: 11))
        for _ in 0..<4 { _ = outputs(&first, .timerFired) }
        #expect(first.missing == [ProcessID(2), ProcessID(3)])
        #expect(outputs(&first, empty(3, disk: 33, asking: 11)).isEmpty)
        // It comes back with a new directory, and that is the one that counts.
        guard case .record(let formation)? = outputs(&first, empty(2, disk: 23, asking: 11)).first else {
            Issue.record("the cluster is not formed")
            return
        }
        #expect(
            formation.isFounder(ProcessID(2), DiskID(23)) && !formation.isFounder(ProcessID(2), DiskID(22)))
    }

    @Test("a process alone forms at once")
    func alone() {
        let settings = Founding.Settings(
            process: ProcessID(1), disk: DiskID(7), members: [ProcessID(1)], nonce: 3)
        var alone = Founding(settings: settings)
        guard case .record(let formation)? = outputs(&alone, .start).first else {
            Issue.record("it waits")
            return
        }
        #expect(formation == Formation(nonce: 3, founders: [.init(ProcessID(1), DiskID(7))]))
    }

    @Test(
        "whatever crashes and whichever one disk is lost, two formations never both have a quorum, and one comes to"
    )
    func exhaustive() {
        let model = FormationModel(crashLimit: 1, wipeLimit: 1)
        let found = model.explore { $0.quorate.count > 1 || !model.heals(from: $0) }
        #expect(found.wrong == nil, "\(String(describing: found.wrong))")
        print("formation of three members, one crash, one lost disk: \(found.states) states")
    }

    @Test("each rule of the agreement is needed: without it two formations both have a quorum")
    func refuted() {
        var forAnybody = FormationModel(crashLimit: 0, wipeLimit: 1)
        forAnybody.bindsAnswers = false
        #expect(forAnybody.explore { $0.quorate.count > 1 }.wrong != nil, "answers to nobody in particular")
        var early = FormationModel(crashLimit: 0, wipeLimit: 1)
        early.waitsForAll = false
        early.namesDisks = false
        #expect(early.explore { $0.quorate.count > 1 }.wrong != nil, "a quorum of empty members")
    }

    @Test("what is said about the formation survives the wire, and the stored form does")
    func wire() throws {
        let configuration = Configuration(
            voters: members, disks: members.map { .init($0, DiskID($0.rawValue << 40)) })
        let formation = Formation(nonce: .max, configuration: configuration)
        for message: FormationMessage in [
            .question(disk: DiskID(1)), .empty(disk: DiskID(2), asking: DiskID(1)),
            .formed(formation, asking: DiskID(3)),
            .formed(Formation(nonce: 0, founders: []), asking: DiskID(0)),
        ] {
            var bytes: [UInt8] = []
            message.encode(into: &bytes)
            #expect(try bytes.withUnsafeBytes { try FormationMessage(decoding: $0) } == message)
            for count in 0..<bytes.count {
                #expect(throws: WireError.self) {
                    try bytes[..<count].withUnsafeBytes { try FormationMessage(decoding: $0) }
                }
            }
        }
        var bytes: [UInt8] = []
        formation.encode(into: &bytes)
        #expect(try bytes.withUnsafeBytes { try Formation(decoding: $0) } == formation)
    }

    @Test("what is there without what was made before it has lost that")
    func inventory() {
        func loss(_ identity: Bool, _ formed: Bool, _ log: Bool, _ store: Bool) -> Inventory.Loss? {
            Inventory(hasIdentity: identity, isFormed: formed, hasLog: log, hasStore: store).loss
        }
        #expect(loss(false, false, false, false) == nil)
        #expect(loss(false, false, true, false) == .identity)
        #expect(loss(false, false, false, true) == .identity)
        #expect(loss(true, false, false, false) == nil)
        #expect(loss(true, true, false, true) == .log)
        #expect(loss(true, true, false, false) == .log)
        #expect(loss(true, true, true, false) == nil)
    }
}
