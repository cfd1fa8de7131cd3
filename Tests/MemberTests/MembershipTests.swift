import Automata
import Coordination
import Paxos
import Replica
import Testing

@testable import Member

@Suite("Changes of the members") struct MembershipTests {
    @Test("a change is answered once it is applied, and by its own number among all proposals")
    func applied() throws {
        var desk = try MemberDesk()
        desk.put("a", token: 1)
        desk.ask(.changeMembers(.add(ProcessID(2), asLearner: true)), token: 2)
        #expect(desk.answers.isEmpty)
        try desk.write()
        #expect(desk.member.replica.configuration.learners == [ProcessID(2)])
        #expect(desk.answers.map(\.token) == [1, 2])
        guard case .success(.done) = desk.answers[1].result else {
            Issue.record("\(desk.answers[1].result)")
            return
        }
    }

    @Test("a change that does not fit the configuration is refused, and nothing is proposed")
    func unsuitable() throws {
        var desk = try MemberDesk()
        try desk.write()
        let chosen = desk.member.replica.chosenUpTo
        desk.ask(.changeMembers(.remove(ProcessID(7))))
        guard case .failure(.internalFailure) = desk.answers.last?.result else {
            Issue.record("\(desk.answers)")
            return
        }
        #expect(desk.member.replica.chosenUpTo == chosen)
    }

    @Test("a voter that is alone is not replaced in one step")
    func soleVoter() throws {
        var desk = try MemberDesk()
        try desk.write()
        desk.ask(.changeMembers(.replace(ProcessID(1), with: ProcessID(2))))
        guard case .failure(.internalFailure) = desk.answers.last?.result else {
            Issue.record("\(desk.answers)")
            return
        }
        #expect(desk.member.replica.configuration.epoch == 1)
    }

    @Test("without a leader a change waits, and ends when its time is over")
    func held() throws {
        var desk = try MemberDesk(voters: [1, 2, 3])
        desk.ask(.changeMembers(.remove(ProcessID(3))))
        desk.pass(.seconds(7))
        desk.beat()
        #expect(desk.answers.isEmpty)
        desk.pass(.seconds(1))
        desk.beat()
        #expect(desk.answers.count == 1)
    }
}
