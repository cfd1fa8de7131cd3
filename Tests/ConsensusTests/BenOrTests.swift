import Automata
import Testing

@testable import Consensus

@Suite("Ben-Or") struct BenOrTests {
    /// `#expect` takes no calls that change what they are made on.
    private func expect<Value: Equatable>(
        _ found: Value, _ wanted: Value, _ comment: Comment? = nil,
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(found == wanted, comment, sourceLocation: location)
    }

    private let names = (1...3).map { ProcessID(UInt64($0)) }

    private func step(_ process: inout BenOr, _ input: BenOr.Input) -> [BenOr.Output] {
        var outputs: [BenOr.Output] = []
        process.step(input, at: .zero, into: &outputs)
        return outputs
    }

    private func toAll(_ message: BenOr.Message) -> [BenOr.Output] { names.map { .send(message, to: $0) } }

    @Test("equal inputs are decided in the first round without a coin")
    func unanimous() {
        var process = BenOr(process: names[0], processes: names, crashes: 1)
        expect(step(&process, .proposed(true)), toAll(.report(round: 1, true)))
        expect(step(&process, .received(.report(round: 1, true), from: names[0])), [])
        expect(
            step(&process, .received(.report(round: 1, true), from: names[1])),
            toAll(.proposal(round: 1, true)))
        expect(step(&process, .received(.proposal(round: 1, true), from: names[0])), [])
        let outputs = step(&process, .received(.proposal(round: 1, true), from: names[1]))
        #expect(outputs.first == .decide(true) && process.decision == true)
        expect(step(&process, .received(.report(round: 1, false), from: names[2])), [], "it has stopped")
    }

    @Test("one proposal binds without deciding, none asks for a coin")
    func roundsEnd() {
        var process = BenOr(process: names[0], processes: names, crashes: 1)
        _ = step(&process, .proposed(true))
        _ = step(&process, .received(.report(round: 1, true), from: names[0]))
        expect(
            step(&process, .received(.report(round: 1, false), from: names[1])),
            toAll(.proposal(round: 1, nil)))
        _ = step(&process, .received(.proposal(round: 1, nil), from: names[0]))
        expect(
            step(&process, .received(.proposal(round: 1, false), from: names[2])),
            toAll(.report(round: 2, false)), "bound by one")
        _ = step(&process, .received(.report(round: 2, false), from: names[0]))
        _ = step(&process, .received(.report(round: 2, true), from: names[2]))
        _ = step(&process, .received(.proposal(round: 2, nil), from: names[0]))
        expect(step(&process, .received(.proposal(round: 2, nil), from: names[1])), [.tossCoin])
        expect(step(&process, .coin(true)), toAll(.report(round: 3, true)))
        expect(step(&process, .coin(false)), [], "only what was asked for")
    }

    @Test("half of an even number of processes is no majority, one more is")
    func evenNumber() {
        let four = (1...4).map { ProcessID(UInt64($0)) }
        for (third, proposal) in [(false, Bool?.none), (true, true)] {
            var process = BenOr(process: four[0], processes: four, crashes: 1)
            _ = step(&process, .proposed(true))
            _ = step(&process, .received(.report(round: 1, true), from: four[0]))
            _ = step(&process, .received(.report(round: 1, true), from: four[1]))
            let outputs = step(&process, .received(.report(round: 1, third), from: four[2]))
            expect(outputs, four.map { .send(.proposal(round: 1, proposal), to: $0) })
        }
    }

    @Test("messages of later rounds wait, repeated ones count once, and those too far ahead are dropped")
    func receipts() {
        var process = BenOr(process: names[0], processes: names, crashes: 1)
        _ = step(&process, .received(.report(round: 1, true), from: names[1]))
        _ = step(&process, .received(.report(round: 1, true), from: names[1]))
        _ = step(&process, .received(.report(round: 500, true), from: names[2]))
        expect(step(&process, .proposed(true)), toAll(.report(round: 1, true)), "one report is no quorum")
        expect(
            step(&process, .received(.report(round: 1, true), from: names[0])),
            toAll(.proposal(round: 1, true)))
    }

    @Test("a decision of another is taken over and passed on")
    func decided() {
        var process = BenOr(process: names[1], processes: names, crashes: 1)
        _ = step(&process, .proposed(false))
        expect(
            step(&process, .received(.decided(true), from: names[0])),
            [.decide(true), .send(.decided(true), to: names[0]), .send(.decided(true), to: names[2])])
    }
}
