/// A deliberate error at the boundary between a member and its host, for the tests that show that the judge sees what it
/// is there to see.
public enum MemberFlaw: String, Hashable, Sendable, CaseIterable {
    /// Promises and acceptances are answered before they are durable.
    case answersBeforeDurable
    /// Reads are answered without asking a quorum.
    case readsWithoutRound
    /// A member whose disk is empty takes part as if it had never promised anything.
    case emptyMembersVote
    /// The time of leases runs twice as fast as it should.
    case hurries
}
