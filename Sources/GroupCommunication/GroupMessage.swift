import Automata
import Multicast
import Paxos

/// What members of a group, and those who want to be, say to each other. The number is that of the sender's
/// view, but for `excluded`.
public enum GroupMessage: Hashable, Sendable, CustomStringConvertible {
    /// Within the view.
    case multicast(UInt64, MulticastMessage)
    /// The sender is there. From time to time to every member.
    case presence(UInt64)
    /// Somebody wants to become a member.
    case join(ProcessID)
    /// A member wants to leave.
    case leave(UInt64, ProcessID)
    /// The view is to end: neither send nor receive within it any more, and report.
    case wedge(UInt64)
    /// What the sender has, now that it is wedged.
    case report(UInt64, Holdings)
    /// On what follows the view.
    case consensus(UInt64, SynodMessage)
    /// What was decided to follow the view.
    case install(UInt64, Payload)
    /// The receiver's view, which is given, is over and it has no part in what followed.
    case excluded(UInt64)

    /// The number of the sender's view, where it has one.
    var view: UInt64? {
        switch self {
        case .multicast(let view, _), .presence(let view), .leave(let view, _), .wedge(let view),
            .report(let view, _), .consensus(let view, _), .install(let view, _), .excluded(let view):
            view
        case .join: nil
        }
    }

    public var description: String {
        switch self {
        case .multicast(let view, .data(let id, _)): "v\(view) data(\(id))"
        case .multicast(let view, let message): "v\(view) \(message)"
        case .presence(let view): "presence(v\(view))"
        case .join(let process): "join(\(process))"
        case .leave(let view, let process): "leave(v\(view), \(process))"
        case .wedge(let view): "wedge(v\(view))"
        case .report(let view, let holdings):
            "report(v\(view), has \(holdings.counts.map(String.init).joined(separator: " ")))"
        case .consensus(let view, .accept(let vote)): "v\(view) accept at \(vote.ballot)"
        case .consensus(let view, .accepted(let vote)): "v\(view) accepted at \(vote.ballot)"
        case .consensus(let view, .prepare(let ballot)): "v\(view) prepare(\(ballot))"
        case .consensus(let view, .promise(let ballot, _)): "v\(view) promise(\(ballot))"
        case .consensus(let view, .nack(let ballot, _)): "v\(view) nack(\(ballot))"
        case .consensus(let view, .chosen): "v\(view) chosen"
        case .install(let view, _): "install(after v\(view))"
        case .excluded(let view): "excluded(v\(view))"
        }
    }
}
