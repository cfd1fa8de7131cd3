import Coordination
import Member

/// Holds what a watch is told against the history that the log gives: etcd's six promises. Ordered by revision, unique,
/// reliable (nothing is left out), atomic (the events of one revision come together), resumable from any revision that
/// is not compacted, and bookmarkable: where progress is told, everything up to there was told before.
struct WatchJudge {
    /// Every change of the log, in order.
    private let history: [KeyValueEvent]
    /// Every revision that was compacted, in order.
    private let compactions: [Int64]

    init(_ judge: MemberJudge) {
        history = judge.history
        compactions = judge.compactions
    }

    private var revision: Int64 { history.last?.keyValue.modRevision ?? 1 }

    /// What a watch like this has to be told of the revisions from `first` up to `last`.
    private func due(_ watch: WatchSpecification, from first: Int64, through last: Int64) -> [KeyValueEvent] {
        var due: [KeyValueEvent] = []
        for event in history[firstPlace(at: first)...] {
            let revision = event.keyValue.modRevision
            if revision > last || (watch.isOneShot && revision > due.last?.keyValue.modRevision ?? .max) {
                break
            }
            guard event.space == watch.space, watch.range.contains(event.keyValue.key),
                !(event.kind == .put ? watch.withoutPuts : watch.withoutDeletes)
            else { continue }
            due.append(event)
        }
        return due
    }

    private func firstPlace(at revision: Int64) -> Int {
        var low = 0
        var high = history.count
        while low < high {
            let middle = (low + high) / 2
            if history[middle].keyValue.modRevision < revision { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// A watch that has been told everything before `next` is told this.
    func judge(_ batch: WatchBatch, _ watch: WatchSpecification, next: Int64) throws(Violation) {
        let told = batch.events.map(\.keyValue.modRevision)
        guard let first = told.first, let last = told.last else {
            throw Violation(.watch, "a batch without events")
        }
        guard told == told.sorted(), last <= batch.revision, batch.revision <= revision else {
            throw Violation(.watch, "events of \(told) up to \(batch.revision), which is no order")
        }
        guard first >= next else {
            throw Violation(
                .watch, "events of \(told), of which those before \(next) were told or not asked for")
        }
        let due = due(watch, from: next, through: batch.revision)
        let dueRevisions = due.map(\.keyValue.modRevision)
        guard dueRevisions == told else {
            throw Violation(
                .watch, "events of \(told), and due from \(next) up to \(batch.revision) were \(dueRevisions)"
            )
        }
        for (event, expected) in zip(batch.events, due) { try judge(event, expected, watch) }
    }

    private func judge(
        _ event: KeyValueEvent, _ expected: KeyValueEvent, _ watch: WatchSpecification
    ) throws(Violation) {
        var bare = event
        bare.previous = nil
        guard bare == expected else { throw Violation(.watch, "\(event) where the log gives \(expected)") }
        let before = watch.previousKeyValue ? replaced(by: expected) : nil
        // What is compacted may be gone, and need not be.
        let mayBeGone = compactions.last.map { event.keyValue.modRevision <= $0 } ?? false
        guard event.previous == before || (event.previous == nil && mayBeGone) else {
            throw Violation(.watch, "\(event) where \(before.map { "\($0)" } ?? "nothing") was before")
        }
    }

    private func replaced(by event: KeyValueEvent) -> KeyValue? {
        for earlier in history[..<firstPlace(at: event.keyValue.modRevision)].reversed()
        where earlier.keyValue.key == event.keyValue.key && earlier.space == event.space {
            return earlier.kind == .put ? earlier.keyValue : nil
        }
        return nil
    }

    /// A watch that has been told everything before `next` is told that it has had everything up to here.
    func judge(progress told: Int64, _ watch: WatchSpecification, next: Int64) throws(Violation) {
        // Of a watch that begins later anything may be said.
        guard told <= revision || told < next else {
            throw Violation(.watch, "progress up to \(told), and the log has come to \(revision)")
        }
        let left = due(watch, from: next, through: told)
        guard left.isEmpty else {
            throw Violation(
                .watch,
                "progress up to \(told), and not told were \(left.map(\.keyValue.modRevision)) from \(next) on"
            )
        }
    }

    func judge(compacted told: Int64, next: Int64) throws(Violation) {
        guard compactions.contains(told) else {
            throw Violation(.watch, "\(told) is called compacted, and compacted were \(compactions)")
        }
        guard next < told else {
            throw Violation(.watch, "a watch from \(next) on is ended, and can be served from \(told) on")
        }
    }
}
