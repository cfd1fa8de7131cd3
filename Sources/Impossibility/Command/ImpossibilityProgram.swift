import LongWork
import TextForms

/// `synod lab flp …`: why consensus is impossible in an asynchronous system, and what helps.
///
/// Exit codes: 0 what is claimed was seen, 1 it was not, 2 wrong command line, 3 there were more configurations than
/// allowed, 130 somebody asked for the end.
public struct ImpossibilityProgram {
    public static let usage = """
        usage: flp valence --protocol wait-for-all|wait-for-all-but-one|paxos|ben-or [--processes N]
                           [--ballots N,N] [--rounds N] [--max-configurations N]
               flp adversary [--processes N] [--deliveries N] [--seed N] [--omega]
               flp ben-or [--processes N] [--crashes N] [--seeds N] [--from N]

        valence    every configuration of a small protocol, and which decisions can still be reached from it
        adversary  a scheduler that keeps Paxos undecided although every message arrives; --omega then names a leader
        ben-or     the randomised protocol under a hostile scheduler, with crashes

        --json gives one line for machines. Exit code 0: seen, 1: not seen, 2: wrong command line, 3: more configurations
        than allowed, 130: interrupted, and what was found so far was told.
        """

    private let say: (String) -> Void
    private let complain: (String) -> Void

    private let isInterrupted: () -> Bool

    /// `isInterrupted` is asked while a search goes on: once it says yes, what was found so far is said.
    public init(
        say: @escaping (String) -> Void, complain: @escaping (String) -> Void,
        isInterrupted: @escaping () -> Bool = { false }
    ) {
        self.say = say
        self.complain = complain
        self.isInterrupted = isInterrupted
    }

    public func run(_ arguments: [String]) -> Int32 {
        do {
            if arguments.first == "help" || arguments.contains(where: { $0 == "--help" || $0 == "-h" }) {
                say(Self.usage)
                return 0
            }
            var options = try ImpossibilityOptions(arguments)
            switch options.task {
            case "":
                throw ImpossibilityOptions.Fault("name a task: valence, adversary or ben-or")
            case "valence": return try valence(&options)
            case "adversary": return try adversary(&options)
            case "ben-or": return try benOr(&options)
            default:
                let hint = NearestName.hint(options.task, in: ["valence", "adversary", "ben-or"])
                throw ImpossibilityOptions.Fault("there is no \"\(options.task)\"\(hint)")
            }
        } catch {
            complain("flp: \(error); see flp --help")
            return 2
        }
    }

    private func valence(_ options: inout ImpossibilityOptions) throws -> Int32 {
        let name = try options.text("protocol", default: "paxos")
        let processes = try options.number("processes", default: 3, in: 2...5)
        let limit = try options.number("max-configurations", default: 2_000_000, in: 1...100_000_000)
        let progress = ProgressLine()
        let goesOn = { (inputs: String, configurations: Int) -> Bool in
            progress.show(count: configurations) {
                "inputs \(inputs): \(configurations) configurations, \($0) more a second"
            }
            return !isInterrupted()
        }
        let explore: () -> ValenceReport
        switch name {
        case "wait-for-all", "wait-for-all-but-one":
            let quorum = name == "wait-for-all" ? processes : processes - 1
            explore = {
                ValenceReport(
                    Voting(processes: processes, quorum: quorum), name: name, limit: limit, goesOn: goesOn)
            }
        case "paxos":
            let ballots = try options.numbers("ballots", default: [1, 1], in: 0...8)
            guard ballots.count <= processes else {
                throw ImpossibilityOptions.Fault("--ballots names more processes than there are")
            }
            explore = {
                ValenceReport(
                    SynodProtocol(processes: processes, ballots: ballots), name: name, limit: limit,
                    goesOn: goesOn)
            }
        case "ben-or":
            let rounds = try options.number("rounds", default: 1, in: 1...8)
            explore = {
                ValenceReport(
                    BenOrProtocol(
                        processes: processes, crashes: (processes - 1) / 2, rounds: UInt32(rounds)),
                    name: name, limit: limit, goesOn: goesOn)
            }
        default:
            let known = ["wait-for-all", "wait-for-all-but-one", "paxos", "ben-or"]
            throw ImpossibilityOptions.Fault(
                "there is no protocol \"\(name)\"\(NearestName.hint(name, in: known))")
        }
        let isJSON = options.isJSON
        try options.end()
        let report = explore()
        progress.clear()
        if isJSON { say(report.json(name: name)) } else { report.lines.forEach(say) }
        if report.disagrees { return 1 }
        return report.isInterrupted ? Interrupt.exitCode : report.isCut ? 3 : 0
    }

    private func adversary(_ options: inout ImpossibilityOptions) throws -> Int32 {
        let processes = try options.number("processes", default: 3, in: 2...7)
        let deliveries = try options.number("deliveries", default: 100_000, in: 1...100_000_000)
        let seed = try options.number("seed", default: 1, in: 0...Int.max)
        let omega = options.isOmega
        let isJSON = options.isJSON
        try options.end()
        let report = AdversaryReport(
            processes: processes, deliveries: deliveries, seed: UInt64(seed), omega: omega)
        if isJSON { say(report.json(seed: seed)) } else { report.lines.forEach(say) }
        return report.stayedUndecided && report.isSafe && (!omega || report.decidedAt != nil) ? 0 : 1
    }

    private func benOr(_ options: inout ImpossibilityOptions) throws -> Int32 {
        let processes = try options.number("processes", default: 5, in: 2...15)
        let crashes = try options.number("crashes", default: (processes - 1) / 2, in: 0...(processes - 1) / 2)
        let wanted = try options.number("seeds", default: 1000, in: 1...1_000_000)
        let first = try options.number("from", default: 1, in: 0...Int.max / 2)
        let isJSON = options.isJSON
        try options.end()
        var decided = 0
        var rounds: [UInt32] = []
        var failed: [Int] = []
        let progress = ProgressLine()
        for seed in first..<first + wanted {
            if isInterrupted() { break }
            progress.show(count: rounds.count) { "\(rounds.count) of \(wanted) seeds, \($0) a second" }
            let run = BenOrRun(processes: processes, crashes: crashes, seed: UInt64(seed))
            if run.isDecided { decided += 1 }
            if !run.isSafe || !run.isDecided { failed.append(seed) }
            rounds.append(run.rounds)
        }
        progress.clear()
        let isCut = rounds.count < wanted
        guard !rounds.isEmpty else { return Interrupt.exitCode }
        let seeds = rounds.count
        rounds.sort()
        if isJSON {
            say(
                "{\"processes\":\(processes),\"crashes\":\(crashes),\"seeds\":\(seeds),\"decided\":\(decided),"
                    + "\"medianRounds\":\(rounds[rounds.count / 2]),\"mostRounds\":\(rounds[rounds.count - 1]),"
                    + "\"failed\":[\(failed.map(String.init).joined(separator: ","))]}")
        } else {
            say(
                "Ben-Or with \(processes) processes, \(crashes) of which crash: in \(decided) of \(seeds) seeds everybody "
                    + "left has decided, in \(rounds[rounds.count / 2]) rounds half of the time and "
                    + "\(rounds[rounds.count - 1]) at most; \(failed.isEmpty ? "agreement and validity always" : "")"
            )
            if isCut { say("interrupted after \(seeds) seeds") }
            for seed in failed.prefix(10) { say("seed \(seed) fails: flp ben-or --from \(seed) --seeds 1") }
        }
        return !failed.isEmpty ? 1 : isCut ? Interrupt.exitCode : 0
    }
}
