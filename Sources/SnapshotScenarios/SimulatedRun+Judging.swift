import Automata
import GlobalSnapshot

/// What must be true when nothing will happen any more.
extension SimulatedRun {
    func judge(_ outcome: inout SnapshotRunOutcome) {
        do {
            let verifier = try SnapshotVerifier(
                topology: topology, run: events, order: options.keepsOrder ? .fifo : .any)
            for snapshot in try distinctSnapshots() {
                try judge(snapshot, verifier, &outcome)
            }
            outcome.aborted = ended.count { if case .aborted = $0.end { true } else { false } }
            if let open = unanswered { outcome.violation = open }
        } catch { outcome.violation = "\(error)" }
    }

    /// Every snapshot once. Several that asked for the same must have been told the same.
    private func distinctSnapshots() throws(RunViolation) -> [RecordedSnapshot] {
        var snapshots: [RecordedSnapshot] = []
        for (process, id, end) in ended {
            guard case .complete(var snapshot) = end else { continue }
            snapshot.completedAt = .zero
            guard let known = snapshots.first(where: { $0.id == id }) else {
                snapshots.append(snapshot)
                continue
            }
            if known != snapshot { throw RunViolation(message: "\(process) was told another \(id)") }
        }
        return snapshots
    }

    private func judge(
        _ snapshot: RecordedSnapshot, _ verifier: SnapshotVerifier, _ outcome: inout SnapshotRunOutcome
    ) throws {
        let recorded = Application.inventory(
            states: snapshot.states.map(\.state),
            contents: snapshot.messages.map { Transfer($0.payload).content })
        let before = Application.inventory(states: initial.map(\.state), contents: [])
        // What a process took with it when it crashed is in the snapshot only if the snapshot is earlier.
        if recorded != before {
            throw RunViolation(message: "\(snapshot.id) holds \(recorded) of \(before)")
        }
        try verifier.check(snapshot)
        let witness = try verifier.witness(for: snapshot)
        let last = try witness.replay(snapshot, topology: topology, order: verifier.order) { process in
            initial[Int(process.rawValue) - 1]
        }
        for state in last where state.process != departed {
            let now = cluster.inspect(state.process) { $0.application.state }
            if now != state.state {
                throw RunViolation(message: "the witness of \(snapshot.id) leaves \(state.process) elsewhere")
            }
        }
        outcome.snapshots += 1
        outcome.swaps += witness.swaps
        outcome.messagesInChannels += snapshot.messages.count
    }

    /// Whoever asked and is still there has been told an end, and an abortion names the process that crashed.
    private var unanswered: String? {
        for (process, id) in asked where process != departed {
            let ends = ended.filter { $0.process == process && $0.id == id }.map(\.end)
            guard let end = ends.first else { return "\(process) never heard how \(id) ended" }
            switch end {
            case .complete, .refused: continue
            case .aborted(let reason):
                if departed == nil || reason != departed.map(SnapshotAbortion.departed) {
                    return "\(id) was aborted: \(reason)"
                }
            }
        }
        return nil
    }
}

/// Something that no single snapshot is to blame for.
struct RunViolation: Error, CustomStringConvertible {
    let message: String
    var description: String { message }
}
