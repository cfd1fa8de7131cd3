import Automata
import Testing

@testable import Runtime

@Suite struct MissingQuorumTests {
    @Test(
        "a member alone of three says whom it reaches and of whom, and that it is a quorum that it waits for")
    func alone() throws {
        let cluster = TestCluster(size: 3)
        try cluster.startAll()
        _ = try #require(cluster.leader())
        cluster.stopAll()
        try cluster.start("n2")
        #expect(eventually { cluster.hasLogged("waiting for a quorum: reached n2 of n1, n2, n3") })
    }
}
