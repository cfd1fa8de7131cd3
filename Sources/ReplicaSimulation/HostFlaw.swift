/// A deliberate error at the boundary between a replica and its host, for the tests that show that the
/// checkers see what they are there to see. Each breaks one rule on which the safety of Paxos rests.
package enum HostFlaw: String, Hashable, Sendable, CaseIterable {
    /// Promises and acceptances are answered before they are durable.
    case answersBeforeDurable
    /// An acceptor forgets after a restart what it promised.
    case forgetsPromises
    /// A restart loses the end of the log, although it was durable.
    case losesTail
    /// A process that believes that it leads answers reads without asking a quorum.
    case readsWithoutQuorum
    /// Proposals whose outcome is unknown are proposed again behind the client's back.
    case retriesProposals
    /// A proposer does not see what the acceptors have accepted at lower ballots.
    case hidesAccepted
    /// The answers of one acceptor are taken for those of all, so that quorums do not meet.
    case countsOneForAll
    /// A member whose disk is empty takes part as if it had never promised anything.
    case emptyMembersVote
    /// A member whose log is gone goes on with what its store holds.
    case startsWithoutLog
    /// Entries are applied in the order in which they happen to be at hand.
    case appliesOutOfOrder
}
