import Automata

/// The proof that a snapshot's state can occur: a run with the same events as the one that happened, in which
/// no process sees its own events in another order, and in which all pre-recording events come first. (Chandy,
/// Lamport 1985, Theorem 1.)
///
/// It is made as the theorem's proof makes it, by swapping neighbours:
///
/// ```
///   what happened   p pre · q POST · r pre · p pre · q POST · p POST     every POST, pre pair of neighbours
///                              └──────┘                                  is swapped, until there is none
///   the witness     p pre · r pre · p pre │ q POST · q POST · p POST     here the recorded state occurs
/// ```
public struct SnapshotWitness: Hashable, Sendable {
    public let id: SnapshotID
    public let run: [RunEvent]
    /// So many events come before the recorded state.
    public let cutPosition: Int
    /// How often neighbours were swapped; none when the recorded state really occurred.
    public let swaps: Int
}

extension SnapshotVerifier {
    /// Constructs the witness. That a swap is impossible would refute the algorithm, or its channels.
    public func witness(for snapshot: RecordedSnapshot) throws(SnapshotViolation) -> SnapshotWitness {
        var events = marked(snapshot.id)
        var swaps = 0
        // Before this place all are pre-recording; from here to the next pre-recording event none is.
        var sorted = 0
        for start in events.indices where events[start].isPre {
            for place in stride(from: start, to: sorted, by: -1) {
                try checkSwap(events[place - 1].event, events[place].event)
                events.swapAt(place - 1, place)
                swaps += 1
            }
            sorted += 1
        }
        return SnapshotWitness(id: snapshot.id, run: events.map(\.event), cutPosition: sorted, swaps: swaps)
    }

    /// Neighbours can be swapped when they are of different processes and the second does not receive what
    /// the first sends: then neither process, nor any other, can tell.
    private func checkSwap(_ post: RunEvent, _ pre: RunEvent) throws(SnapshotViolation) {
        if post.process == pre.process {
            throw SnapshotViolation(.swap, "\(post), then \(pre): no process may see its events swapped")
        }
        if case .sent(let sent, _) = post.kind, case .received(let received, _) = pre.kind, sent == received {
            throw SnapshotViolation(.swap, "\(post), then \(pre): the message crosses the cut backwards")
        }
    }
}
