import Automata
import Paxos

@testable import Replica

/// A story about a cluster as text: each command is followed by what came of it, indented.
///
/// ```
/// cluster <count> [learners <p>...] [joining <p>...] [keep <entries>] [lease] [quorums <phase1> <phase2>]
/// start <p> | crash <p> | sync <p> | store <p>          of a process; sync makes its records durable, and a
///                                                       crash loses those that are not, and its messages
/// timeout <p> | heartbeat <p> | resend <p>              a timer fires
/// deliver <p>-><p> [count] | drop <p>-><p> [count]      messages of one link, in order
/// cut <p>-><p> | cut <p>-<p> | isolate <p> | heal       links that lose everything
/// propose <p> <text>... | read <p> | transfer <p> to <p>
/// add <p> <p> [learner] | remove <p> <p> | replace <p> <p> with <p> | promote <p> <p>   asked of the first
/// checkpoint <p>-><p>                                   arrives
/// advance <ms>                                          time passes, no timer fires
/// stabilize                                             everything sent arrives, until nothing is left
/// run <ms>                                              the same, and timers fire
/// state
/// ```
struct Scenario {
    private var cluster: Cluster?
    private var numbers: [UInt64: UInt64] = [:]
    private var reads: UInt64 = 0

    /// The text with the outcome of every command written anew.
    static func replay(_ text: String) -> String {
        var scenario = Scenario()
        var lines: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("    ") { continue }
            lines.append(String(line))
            let words = line.split(separator: " ").map(String.init)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            let outcome = scenario.carryOut(words) ?? ["this is no command"]
            lines += outcome.map { "    " + $0 }
        }
        return lines.joined(separator: "\n")
    }

    private mutating func carryOut(_ words: [String]) -> [String]? {
        var arguments = words.dropFirst().filter { !["to", "with"].contains($0) }
        if words[0] == "cluster" {
            cluster = makeCluster(arguments)
            return cluster.map { _ in [] }
        }
        guard cluster != nil else { return nil }
        cluster!.events = []
        var lines: [String] = []
        var showsMessages = true
        switch words[0] {
        case "deliver", "drop":
            guard let (sender, receiver) = link(arguments[0]) else { return nil }
            let limit = arguments.count > 1 ? Int(arguments[1])! : Int.max
            return exchange(sender, receiver, limit, words[0] == "deliver")
        case "cut":
            if let (sender, receiver) = link(arguments[0]) {
                cluster!.cut.insert([sender, receiver])
            } else {
                let ends = arguments[0].split(separator: "-").map { ProcessID(UInt64($0)!) }
                cluster!.cut.formUnion([[ends[0], ends[1]], [ends[1], ends[0]]])
            }
            cluster!.network.removeAll { [cut = cluster!.cut] in cut.contains([$0.sender, $0.receiver]) }
        case "isolate":
            let process = ProcessID(UInt64(arguments[0])!)
            for host in cluster!.hosts where host.process != process {
                cluster!.cut.formUnion([[process, host.process], [host.process, process]])
            }
            cluster!.network.removeAll { $0.sender == process || $0.receiver == process }
        case "heal": cluster!.cut = []
        case "advance":
            cluster!.now = cluster!.now + .milliseconds(UInt64(arguments[0])!)
        case "stabilize":
            stabilize()
            showsMessages = false
        case "run":
            run(milliseconds: UInt64(arguments[0])!)
            showsMessages = false
        case "state": return cluster!.hosts.map(\.summary)
        case "start" where arguments.first == "all":
            cluster!.startAll()
        case "checkpoint":
            guard let (sender, receiver) = link(arguments[0]),
                let some = cluster!.checkpointsInTransit.first(where: {
                    $0.sender == sender && $0.receiver == receiver
                })
            else { return nil }
            cluster!.arrive(some)
        default:
            guard let number = arguments.first.flatMap({ UInt64($0) }) else { return nil }
            arguments.removeFirst()
            guard act(words[0], at: ProcessID(number), arguments) else { return nil }
        }
        lines += cluster!.events.compactMap { describe($0.output, at: $0.process, showsMessages) }
        lines += cluster!.violations.map { "VIOLATION \($0)" }
        return lines
    }

    private func makeCluster(_ arguments: [String]) -> Cluster? {
        guard let count = arguments.first.flatMap({ UInt64($0) }) else { return nil }
        var lists: [String: [String]] = [:]
        var current = ""
        for word in arguments.dropFirst() {
            if UInt64(word) != nil {
                lists[current]!.append(word)
            } else {
                current = word
                lists[word] = []
            }
        }
        func processes(_ name: String) -> [ProcessID] {
            (lists[name] ?? []).map { ProcessID(UInt64($0)!) }
        }
        let voters = (1...count).map { ProcessID($0) }
        let quorums = lists["quorums"].map {
            QuorumSystem.flexible(phase1: Int($0[0])!, phase2: Int($0[1])!)
        }
        guard
            let bootstrap = try? Configuration(
                voters: voters, learners: processes("learners"), quorums: quorums ?? .majority)
        else { return nil }
        let all = voters + processes("learners") + processes("joining")
        var cluster = Cluster(all, bootstrap: bootstrap) {
            if let keep = lists["keep"] { $0.catchUpEntries = Int(keep[0])! }
            if lists["lease"] != nil { $0.leaseReadsClockDriftPPM = 1000 }
        }
        // Every draw another one, the same in every replay.
        let draws = RandomRun.Draws(1)
        cluster.random = { range in
            range.lowerBound + draws.source.next() % (range.upperBound - range.lowerBound + 1)
        }
        return cluster
    }

    private func link(_ word: String) -> (ProcessID, ProcessID)? {
        guard let arrow = word.firstRange(of: "->"), let sender = UInt64(word[..<arrow.lowerBound]),
            let receiver = UInt64(word[arrow.upperBound...])
        else { return nil }
        return (ProcessID(sender), ProcessID(receiver))
    }

    private mutating func exchange(
        _ sender: ProcessID, _ receiver: ProcessID, _ limit: Int, _ delivers: Bool
    ) -> [String] {
        let there = cluster!.network.filter { $0.sender == sender && $0.receiver == receiver }.prefix(limit)
        var lines: [String] = []
        for envelope in there {
            cluster!.network.remove(at: cluster!.network.firstIndex(of: envelope)!)
            cluster!.events = []
            if delivers { cluster!.deliver(envelope) }
            lines.append("\(delivers ? "" : "lost: ")\(envelope.message.words)")
            lines += cluster!.events.compactMap { describe($0.output, at: $0.process, true) }.map {
                "  " + $0
            }
        }
        return lines + cluster!.violations.map { "VIOLATION \($0)" }
    }

    private mutating func act(_ verb: String, at process: ProcessID, _ arguments: [String]) -> Bool {
        let others = arguments.compactMap { UInt64($0).map { ProcessID($0) } }
        switch verb {
        case "start": cluster!.start(process)
        case "crash":
            cluster!.crash(process)
            cluster!.network.removeAll { $0.sender == process || $0.receiver == process }
        case "sync": cluster!.sync(process)
        case "store": cluster!.store(process)
        case "timeout": cluster!.fire(.election, at: process)
        case "heartbeat": cluster!.fire(.heartbeat, at: process)
        case "resend": cluster!.fire(.resend, at: process)
        case "propose":
            let proposals = arguments.map { Proposal(id: nextID(process), payload: Payload($0)) }
            cluster!.step(.proposed(proposals), at: process)
        case "read":
            reads += 1
            cluster!.step(.readRequested(ReadID(reads)), at: process)
        case "transfer": cluster!.step(.transferRequested(to: others[0]), at: process)
        case "add":
            reconfigure(.add(others[0], asLearner: arguments.last == "learner"), at: process)
        case "remove": reconfigure(.remove(others[0]), at: process)
        case "replace": reconfigure(.replace(others[0], with: others[1]), at: process)
        case "promote": reconfigure(.promote(others[0]), at: process)
        default: return false
        }
        return true
    }

    private mutating func reconfigure(_ change: ConfigurationChange, at process: ProcessID) {
        cluster!.step(.reconfigurationRequested(nextID(process), change), at: process)
    }

    private mutating func nextID(_ process: ProcessID) -> ProposalID {
        numbers[process.rawValue, default: 0] += 1
        return ProposalID(process: process, number: numbers[process.rawValue]!)
    }

    private mutating func stabilize() {
        var hasWork = true
        while hasWork {
            hasWork = false
            for host in cluster!.hosts where !host.pending.isEmpty {
                cluster!.sync(host.process)
                hasWork = true
            }
            let sent = cluster!.network
            cluster!.network = []
            for envelope in sent { cluster!.deliver(envelope) }
            while let some = cluster!.checkpointsInTransit.first { cluster!.arrive(some) }
            if !sent.isEmpty { hasWork = true }
        }
    }

    private mutating func run(milliseconds: UInt64) {
        for _ in 0..<milliseconds {
            cluster!.now = cluster!.now + .milliseconds(1)
            for host in cluster!.hosts where host.replica != nil {
                for (timer, due) in host.timers where due <= cluster!.now {
                    cluster!.fire(timer, at: host.process)
                }
            }
            stabilize()
        }
    }
}

// MARK: Words

extension Scenario {
    private func describe(
        _ output: ReplicaOutput, at process: ProcessID, _ showsMessages: Bool
    ) -> String? {
        switch output {
        case .persist(let record): showsMessages ? "\(process) writes \(record.words)" : nil
        case .send(let message, let receiver, let after):
            showsMessages
                ? "\(process)->\(receiver) \(message.words)\(after == .none ? "" : ", once durable")" : nil
        case .setTimer, .cancelTimer: nil
        case .apply(let first, let entries):
            "\(process) applies \(first): \(entries.map(\.description).joined(separator: ", "))"
        case .answerRead(let id, let slot): "\(process) answers read \(id.number) at \(slot)"
        case .refuseRead(let id, let refusal): "\(process) refuses read \(id.number): \(refusal)"
        case .refuseProposal(let id, let refusal): "\(process) refuses \(id): \(refusal)"
        case .finishTransfer(let target, let refusal):
            "\(process) ends the transfer to \(target): \(refusal.map { "\($0)" } ?? "done")"
        case .leaderChanged(let leader, let ballot):
            leader == process
                ? "\(process) leads at \(ballot)"
                : "\(process) \(leader.map { "follows \($0)" } ?? "follows nobody") at \(ballot)"
        case .sendCheckpoint(let receiver): "\(process) sends a checkpoint to \(receiver)"
        case .trim(let slot): "\(process) trims before \(slot)"
        case .configurationChanged(let configuration): "\(process) is in \(configuration.words)"
        case .retire: "\(process) retires"
        case .reportContradiction(let other, let slot):
            "\(process) reports that \(other) knows \(slot) to be chosen, which cannot be"
        }
    }
}

extension Configuration {
    var words: String {
        "configuration \(epoch): \(voters)" + (learners.isEmpty ? "" : ", learners \(learners)")
    }
}

extension Host {
    var summary: String {
        guard let replica else { return "\(process) is down" }
        let role =
            replica.isLeader
            ? "leads" : replica.leader.map { "follows \($0)" } ?? "follows nobody"
        let floor = replica.acceptor.accepted.floor
        return "\(process) \(role) at \(replica.ballot), accepted \(replica.acceptedUpTo), chosen "
            + "\(replica.chosenUpTo), applied \(replica.appliedUpTo)"
            + (floor > .zero ? ", trimmed up to \(floor)" : "") + (isRetired ? ", retired" : "")
    }
}

extension ReplicaRecord {
    var words: String {
        switch self {
        case .started(let incarnation, _): "start \(incarnation)"
        case .promised(let ballot): "promise \(ballot)"
        case .accepted(let it):
            "accepted \(it.ballot) \(it.first): \(it.entries.map(\.description).joined(separator: ", "))"
        case .chosen(let slot): "chosen \(slot)"
        case .floor(let slot): "floor \(slot)"
        }
    }
}

extension ReplicaMessage {
    var words: String {
        switch self {
        case .canvass(let it): "canvass(\(it.ballot))"
        case .canvassed(let it): "canvassed(\(it.ballot), \(it.granted ? "yes" : "no"))"
        case .prepare(let it): "prepare(\(it.ballot), from \(it.from), epoch \(it.epoch))"
        case .promise(let it):
            "promise(\(it.ballot), chosen \(it.chosenUpTo), floor \(it.floor), from \(it.chunk.first): "
                + it.chunk.entries.map(\.description).joined(separator: ", ") + ")"
        case .nack(let it): "nack(\(it.refused), promised \(it.promised))"
        case .dismissed(let epoch): "dismissed(epoch \(epoch))"
        case .accept(let it):
            "accept(\(it.ballot), epoch \(it.epoch), chosen \(it.chosenUpTo), \(it.first): "
                + it.entries.map(\.description).joined(separator: ", ") + ")"
        case .accepted(let it): "accepted(\(it.ballot), \(it.upTo))"
        case .missing(let it): "missing(\(it.ballot), from \(it.from))"
        case .chosen(let it): "chosen(\(it.ballot), \(it.upTo))"
        case .heartbeat(let it): "heartbeat(\(it.ballot), round \(it.round), chosen \(it.chosenUpTo))"
        case .heartbeatAnswer(let it): "heartbeat answer(\(it.ballot), round \(it.round), \(it.acceptedUpTo))"
        case .checkpointWanted(let slot): "checkpoint wanted(behind \(slot))"
        case .takeOver(let ballot): "take over(\(ballot))"
        case .forward(let it): "forward \(it.sequence)(\(it.ballot), \(it.request.ids))"
        case .forwardRefused(let it): "forward refused(\(it.proposals), \(it.refusal))"
        case .readRequest(let it): "read request(\(it.number))"
        case .readAnswer(let it): "read answer(\(it.number), \(it.at.map(\.description) ?? "not the leader"))"
        }
    }
}
