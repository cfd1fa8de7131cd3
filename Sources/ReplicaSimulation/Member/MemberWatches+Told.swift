import Automata
import Coordination
import Member
import Simulation

// What a client that watches is told, and what it makes of it.
extension MemberWatches {
    /// The client at a port, if it is still connected there.
    private func place(_ process: ProcessID, _ port: UInt64) -> Int? {
        clients.firstIndex { $0.port == port && $0.process == process }
    }

    mutating func onWatching(_ process: ProcessID, _ port: UInt64, _ ids: [WatcherID], head: Int64) {
        guard let client = place(process, port) else { return }
        for id in ids {
            guard let watch = clients[client].place(of: id.rawValue) else { continue }
            if clients[client].watches[watch].next == nil { clients[client].watches[watch].next = head + 1 }
        }
    }

    mutating func onDelivered(
        _ process: ProcessID, _ port: UInt64, _ deliveries: [ServiceDelivery], _ members: MemberJudge
    ) throws(Violation) {
        guard let client = place(process, port) else { return }
        let judge = WatchJudge(members)
        for delivery in deliveries {
            switch delivery {
            case .events(let id, let batch): try onEvents(id, batch, client, judge)
            case .watchCompacted(let id, let revision): try onCompacted(id, revision, client, judge)
            case .progress(let token, let revision): try onProgress(token, revision, client, judge)
            case .answer, .leaderLost: throw Violation(.watch, "\(delivery) for a watch")
            }
        }
    }

    private mutating func onEvents(
        _ id: WatcherID, _ batch: WatchBatch, _ client: Int, _ judge: WatchJudge
    ) throws(Violation) {
        guard let place = clients[client].place(of: id.rawValue) else { return }
        let watch = clients[client].watches[place]
        guard let next = watch.next else {
            throw Violation(.watch, "\(id.rawValue) is told before it begins")
        }
        try judge.judge(batch, watch.specification, next: next)
        events += batch.events.count
        clients[client].watches[place].next = batch.revision + 1
        clients[client].watches[place].batches.append(batch.bytes)
        let outstanding = watch.batches.reduce(batch.bytes, +)
        guard watch.batches.isEmpty || outstanding <= plan.hub.watcherLimitBytes else {
            throw Violation(.watch, "\(outstanding) bytes are delivered to \(id.rawValue) and not consumed")
        }
        // It is at its end: anything more would be told again.
        if watch.specification.isOneShot { clients[client].watches[place].next = .max }
    }

    private mutating func onCompacted(
        _ id: WatcherID, _ revision: Int64, _ client: Int, _ judge: WatchJudge
    ) throws(Violation) {
        guard let place = clients[client].place(of: id.rawValue) else { return }
        let watch = clients[client].watches[place]
        guard let next = watch.next else {
            throw Violation(.watch, "\(id.rawValue) is told before it begins")
        }
        try judge.judge(compacted: revision, next: next)
        points[.watchCompacted, default: 0] += 1
        clients[client].watches[place].next = revision
        clients[client].watches[place].isEnded = true
    }

    private mutating func onProgress(
        _ token: UInt64, _ revision: Int64, _ client: Int, _ judge: WatchJudge
    ) throws(Violation) {
        guard let question = clients[client].questions.firstIndex(where: { $0.token == token }) else {
            throw Violation(.watch, "progress for \(token), which nobody waits for")
        }
        let asked = clients[client].questions.remove(at: question)
        guard asked.revision == nil || asked.revision == revision else {
            throw Violation(.watch, "\(revision) is told who asked for \(asked.revision!)")
        }
        points[asked.revision == nil ? .watchProgress : .watchToldUpTo, default: 0] += 1
        for id in asked.watches {
            // Those that have ended meanwhile are spoken for by nobody.
            guard let place = clients[client].place(of: id) else { continue }
            let watch = clients[client].watches[place]
            if watch.isEnded { continue }
            guard let next = watch.next else { throw Violation(.watch, "\(id) is told before it begins") }
            try judge.judge(progress: revision, watch.specification, next: next)
            clients[client].watches[place].next = max(next, revision + 1)
        }
    }
}
