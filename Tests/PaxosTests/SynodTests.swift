import Automata
import Paxos
import Testing

@Suite("The single-decree synod") struct SynodTests {
    /// `#expect` takes no calls that change what they are made on.
    private func expect<Value: Equatable>(
        _ found: Value, _ wanted: Value, _ comment: Comment? = nil,
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(found == wanted, comment, sourceLocation: location)
    }

    private let one = ProcessID(1), two = ProcessID(2), three = ProcessID(3)
    private var configuration: Configuration { Configuration(voters: [one, two, three]) }

    private func ballot(_ round: UInt64, _ process: ProcessID) -> Ballot {
        Ballot(round: round, process: process)
    }

    private func vote(_ round: UInt64, _ process: ProcessID, _ value: String) -> SynodVote {
        SynodVote(ballot: ballot(round, process), value: Payload(value))
    }

    @Test("an acceptor promises upwards only, and tells what it accepted")
    func acceptorPromises() {
        var acceptor = SynodAcceptor()
        expect(acceptor.onPrepare(ballot(1, two)), .promise(ballot(1, two), nil))
        expect(acceptor.onAccept(vote(1, two, "x")), .accepted(vote(1, two, "x")))
        expect(acceptor.onPrepare(ballot(1, one)), .nack(ballot(1, one), promised: ballot(1, two)))
        expect(acceptor.onPrepare(ballot(2, one)), .promise(ballot(2, one), vote(1, two, "x")))
        expect(acceptor.onAccept(vote(1, two, "y")), .nack(ballot(1, two), promised: ballot(2, one)))
        #expect(acceptor.vote == vote(1, two, "x"))
    }

    @Test("an acceptor that accepts without a promise is bound by it")
    func acceptingPromises() {
        var acceptor = SynodAcceptor()
        expect(acceptor.onAccept(vote(3, three, "x")), .accepted(vote(3, three, "x")))
        #expect(acceptor.promised == ballot(3, three))
        expect(acceptor.onPrepare(ballot(2, one)), .nack(ballot(2, one), promised: ballot(3, three)))
    }

    @Test("a proposer is bound by the value accepted at the highest ballot, else proposes its own")
    func proposerIsBound() {
        var free = SynodProposer(process: one, value: Payload("mine"))
        expect(free.begin(), .prepare(ballot(1, one)))
        expect(free.onPromise(ballot(1, one), nil, from: two, in: configuration), nil)
        expect(free.onPromise(ballot(1, one), nil, from: two, in: configuration), nil, "counted once")
        expect(
            free.onPromise(ballot(1, one), nil, from: three, in: configuration), .accept(vote(1, one, "mine"))
        )

        var bound = SynodProposer(process: three, value: Payload("mine"))
        _ = bound.begin()
        expect(bound.onNack(ballot(1, three), promised: ballot(4, two)), true)
        expect(bound.onNack(ballot(1, three), promised: ballot(9, two)), false, "of a ballot that is over")
        expect(bound.begin(), .prepare(ballot(5, three)))
        _ = bound.onPromise(ballot(5, three), vote(3, two, "newer"), from: one, in: configuration)
        expect(
            bound.onPromise(ballot(5, three), vote(2, one, "older"), from: two, in: configuration),
            .accept(vote(5, three, "newer")))
    }

    @Test("a learner counts each acceptor once, and each ballot by itself")
    func learner() {
        var learner = SynodLearner()
        expect(learner.onAccepted(vote(1, one, "x"), from: one, in: configuration), false)
        expect(learner.onAccepted(vote(1, one, "x"), from: one, in: configuration), false)
        expect(learner.onAccepted(vote(2, two, "x"), from: two, in: configuration), false, "another ballot")
        #expect(learner.chosen == nil)
        expect(learner.onAccepted(vote(1, one, "x"), from: three, in: configuration), true)
        #expect(learner.chosen == Payload("x"))
    }

    @Test("a process persists before it answers, decides once, and begins anew only where it may lead")
    func process() {
        var process = SynodProcess(process: one, configuration: configuration)
        var outputs: [SynodProcess.Output] = []
        func step(_ input: SynodProcess.Input) -> [SynodProcess.Output] {
            outputs.removeAll()
            process.step(input, at: .zero, into: &outputs)
            return outputs
        }
        expect(step(.proposed(Payload("a"))).count, 3)
        let answered = step(.received(.prepare(ballot(2, two)), from: two))
        guard case .persist(let state)? = answered.first else {
            Issue.record("nothing is persisted: \(answered)")
            return
        }
        #expect(state.promised == ballot(2, two) && answered.count == 2)
        expect(step(.mayLead(false)), [])
        expect(step(.received(.nack(ballot(1, one), promised: ballot(2, two)), from: two)), [])
        expect(step(.mayLead(true)), [one, two, three].map { .send(.prepare(ballot(3, one)), to: $0) })
        expect(step(.received(.chosen(Payload("b")), from: two)), [.decide(Payload("b"))])
        expect(step(.received(.chosen(Payload("b")), from: three)), [])
        #expect(process.decision == Payload("b"))
    }

    @Test("quorums that could miss each other make no configuration")
    func quorumsMeet() {
        #expect(throws: ConfigurationError.self) {
            _ = try Configuration(voters: [one, two, three], quorums: .flexible(phase1: 1, phase2: 2))
        }
    }
}
