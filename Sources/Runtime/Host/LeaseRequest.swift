import Automata
import Coordination

/// A question about a lease that only the leader can answer.
final class LeaseRequest {
    enum Origin {
        case port(Port, token: UInt64)
        case peer(ProcessID, number: UInt64)
    }

    let origin: Origin
    let subject: PeerRequest.Subject
    let deadline: Instant
    /// Under which number it was last sent to the leader, and when.
    var number: UInt64 = 0
    var sent: Instant?
    /// Everything that was chosen before the question is applied, so that "no such lease" is the truth.
    var isCaughtUp = false

    init(origin: Origin, subject: PeerRequest.Subject, deadline: Instant) {
        self.origin = origin
        self.subject = subject
        self.deadline = deadline
    }

    var lease: LeaseID {
        switch subject {
        case .renewLease(let lease), .leaseTimeToLive(let lease): lease
        }
    }
}
