import Automata
import Coordination
import Member
import Simulation

/// The clients of a run that watch: each opens a few watches at one member, and when it loses that member goes on at
/// another from what it was told last. Some take their time to consume what they get.
struct MemberWatches {
    typealias Asked = (process: ProcessID, request: MemberRequest)

    let plan: WatchPlan
    private var random: SeededRandom
    var clients: [WatchingClient] = []
    private var lastNumber: UInt64 = 0
    var points: [MemberPoint: Int] = [:]
    /// Events that were told.
    var events = 0

    init(seed: UInt64) {
        random = SeededRandom(seed: seed &+ 0x5EED_0F_3A7C)
        plan = WatchPlan(from: &random)
    }

    mutating func gap() -> TimeSpan { TimeSpan(nanoseconds: random.below(2 * plan.gap.nanoseconds) + 1) }

    private mutating func number() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    // MARK: while faults strike

    /// What happens next, at members that are up; `busy` are those whose watchers have something to do.
    mutating func act(at up: [ProcessID], busy: [ProcessID], _ judge: MemberJudge) -> [Asked] {
        var asked: [Asked] = []
        for process in busy where random.coin() {
            asked.append((process, .watchers(.turn(holdsSlice: random.below(1_000) < plan.heldSlices))))
        }
        guard !up.isEmpty else { return asked }
        for place in clients.indices {
            asked += reopen(place)
            if random.chance(clients[place].isSlow ? 30_000 : 700_000) { asked += consume(place) }
        }
        if clients.count < plan.clients, random.chance(200_000) {
            let process = random.element(up)
            clients.append(
                WatchingClient(
                    port: number(), process: process, lastProcess: process, isSlow: random.chance(400_000))
            )
            for _ in 0...random.index(3) { asked += open(clients.count - 1, specification(judge)) }
            return asked
        }
        guard !clients.isEmpty else { return asked }
        let place = random.index(clients.count)
        guard clients[place].process != nil else {
            if random.coin() { asked += resume(place, at: random.element(up)) }
            return asked
        }
        switch random.below(100) {
        case ..<20: asked += askProgress(place, upTo: nil)
        case ..<30: asked += askProgress(place, upTo: judge.revision + Int64(random.index(3)))
        case ..<36: asked += disconnect(place)
        case ..<42: asked += cancel(place)
        case ..<50 where clients[place].watches.count < 4: asked += open(place, specification(judge))
        default: break
        }
        return asked
    }

    private mutating func specification(_ judge: MemberJudge) -> WatchSpecification {
        let start: Int64 =
            switch random.below(10) {
            case ..<4: 0
            case ..<9:
                Int64(random.number(in: Int(max(1, judge.compactRevision - 4))...Int(judge.revision) + 1))
            default: judge.revision + Int64(random.number(in: 1...12))
            }
        let range: KeyRange =
            switch random.below(4) {
            case 0: KeyRange(key: Array("k\(random.below(6))".utf8))
            case 1: KeyRange(key: Array("k".utf8), end: Array("l".utf8))
            case 2: KeyRange(key: Array("counter".utf8), end: Array("held~".utf8))
            default: KeyRange(key: [0], end: [])
            }
        var specification = WatchSpecification(range: range, startRevision: start)
        specification.previousKeyValue = random.chance(300_000)
        switch random.below(8) {
        case 0: specification.withoutPuts = true
        case 1: specification.withoutDeletes = true
        default: break
        }
        specification.isOneShot = random.chance(100_000)
        return specification
    }

    // MARK: once faults have stopped

    /// Every watch is to be told everything: clients connect anew, consume all, and ask whether that was all.
    mutating func settle(at up: [ProcessID], busy: [ProcessID], _ judge: MemberJudge) -> [Asked] {
        var asked: [Asked] = busy.map { ($0, .watchers(.turn(holdsSlice: false))) }
        guard !up.isEmpty else { return asked }
        for place in clients.indices {
            if clients[place].process == nil { asked += resume(place, at: random.element(up)) }
            asked += reopen(place) + consume(place)
            if !isTold(clients[place], judge),
                !clients[place].questions.contains(where: { $0.revision == judge.revision })
            {
                asked += askProgress(place, upTo: judge.revision)
            }
        }
        return asked
    }

    func areTold(_ judge: MemberJudge) -> Bool { clients.allSatisfy { isTold($0, judge) } }

    private func isTold(_ client: WatchingClient, _ judge: MemberJudge) -> Bool {
        client.process != nil && client.watches.allSatisfy { $0.next.map { $0 > judge.revision } ?? false }
    }

    /// What each watch that has not had everything still waits for.
    func complaint(_ judge: MemberJudge) -> String {
        clients.filter { !isTold($0, judge) }.map { client in
            let watches = client.watches.map { "\($0.id) from \($0.next.map { "\($0)" } ?? "now")" }
            return "\(client.process.map { "\($0)" } ?? "nowhere"): \(watches.joined(separator: ", "))"
        }.joined(separator: "; ")
    }

    // MARK: what a client does

    private func ask(_ place: Int, _ requests: [WatchRequest]) -> [Asked] {
        guard let process = clients[place].process, !requests.isEmpty else { return [] }
        return [(process, .watchers(.ask(requests, port: clients[place].port)))]
    }

    private mutating func open(_ place: Int, _ specification: WatchSpecification) -> [Asked] {
        let start = specification.startRevision
        let watch = WatchingClient.Watch(
            id: number(), specification: specification, next: start > 0 ? start : nil)
        clients[place].watches.append(watch)
        return ask(place, [.watch(specification, WatcherID(watch.id))])
    }

    /// What was ended for compaction begins again where it can be served.
    private mutating func reopen(_ place: Int) -> [Asked] {
        guard clients[place].process != nil else { return [] }
        var requests: [WatchRequest] = []
        for watch in clients[place].watches.indices where clients[place].watches[watch].isEnded {
            let ended = clients[place].watches[watch]
            var specification = ended.specification
            specification.startRevision = ended.next ?? 0
            clients[place].watches[watch] = WatchingClient.Watch(
                id: number(), specification: specification, next: ended.next)
            requests.append(.watch(specification, WatcherID(clients[place].watches[watch].id)))
        }
        return ask(place, requests)
    }

    private mutating func consume(_ place: Int) -> [Asked] {
        var requests: [WatchRequest] = []
        for watch in clients[place].watches.indices where !clients[place].watches[watch].batches.isEmpty {
            let bytes = clients[place].watches[watch].batches.removeFirst()
            requests.append(.consumed(bytes: bytes, WatcherID(clients[place].watches[watch].id)))
        }
        return ask(place, requests)
    }

    private mutating func askProgress(_ place: Int, upTo revision: Int64?) -> [Asked] {
        let ids = clients[place].watches.map(\.id)
        guard !ids.isEmpty else { return [] }
        let question = WatchingClient.Question(token: number(), watches: ids, revision: revision)
        clients[place].questions.append(question)
        let watchers = ids.map { WatcherID($0) }
        if let revision { return ask(place, [.toldUpTo(revision, watchers, token: question.token)]) }
        return ask(place, [.progress(watchers, token: question.token)])
    }

    private mutating func cancel(_ place: Int) -> [Asked] {
        guard !clients[place].watches.isEmpty else { return [] }
        let watch = clients[place].watches.remove(at: random.index(clients[place].watches.count))
        return ask(place, [.cancel(WatcherID(watch.id))])
    }

    private mutating func disconnect(_ place: Int) -> [Asked] {
        guard let process = clients[place].process else { return [] }
        clients[place].process = nil
        return [(process, .watchers(.close(port: clients[place].port)))]
    }

    /// Goes on from what it was told last.
    private mutating func resume(_ place: Int, at process: ProcessID) -> [Asked] {
        let old = clients[place]
        var requests: [WatchRequest] = []
        clients[place].port = number()
        clients[place].process = process
        clients[place].lastProcess = process
        clients[place].questions = []
        clients[place].watches = []
        for watch in old.watches where watch.next != .max {
            if watch.next != nil, old.lastProcess != process { points[.watchResumed, default: 0] += 1 }
            var specification = watch.specification
            specification.startRevision = watch.next ?? 0
            let resumed = WatchingClient.Watch(id: number(), specification: specification, next: watch.next)
            clients[place].watches.append(resumed)
            requests.append(.watch(specification, WatcherID(resumed.id)))
        }
        return ask(place, requests)
    }

    /// The member went down, or does not hear.
    mutating func lose(_ process: ProcessID) {
        for place in clients.indices where clients[place].process == process { clients[place].process = nil }
    }
}

extension MemberStatistics {
    mutating func note(_ watches: MemberWatches) {
        watchEvents = watches.events
        points.merge(watches.points, uniquingKeysWith: +)
    }
}
