import Automata
import Paxos

/// What a process that has led remembers of it, so that what others still forward to it is refused in words
/// that they can rely on.
struct PastLeadership: Hashable, Sendable {
    let ballot: Ballot
    var forwards: [ForwardWindow]
}
