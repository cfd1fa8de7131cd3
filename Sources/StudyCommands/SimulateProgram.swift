import LongWork
import MulticastSimulation
import ReplicaSimulation
import Simulation
import TextForms

/// `simulate --seeds 2000 --processes 3`, or one seed with its trace: `simulate --seed 7 --processes 3 --trace`.
/// `simulate snapshots` is a sweep of its own.
struct SimulateProgram {
    static let usage = """
        usage: simulate [--seed N | --seeds COUNT --from N] [options]
               simulate members [--seed N [--trace] | --seeds COUNT --from N]
               simulate snapshots [--seed N [--trace] | --runs COUNT --from N]
               simulate multicast [--kind reliable|uniform|causal] [--seed N [--trace] | --runs COUNT --from N]

        Clusters of the production replica in simulated time, with crashes, partitions, lost and reordered messages
        and torn writes, each drawn from its seed.

          --seed N         this seed alone
          --seeds COUNT    so many seeds (default 100), the first of them --from N (default 1)
          --processes N    of each cluster, from 2 to 15 (default 3)
          --trace          print the whole trace of each run
          --lines N        lines of the trace of a failing run that are printed (default 60)
          --keep-going     go on after a failure
          --json           what was found as one JSON object, and nothing else
          --restless       leaders change all the time, and little else goes wrong
          --flaw NAME      with a deliberate error, which must be caught: \
        \(HostFlaw.allCases.map(\.rawValue).joined(separator: ", "))

        At the end stands what the sweep took: simulated time, faults by kind, and the points of the protocol that
        runs came by. A long one says on standard error how far it is. Ctrl-C ends it with what it has found so far.

        Exit code 0: every promise was kept, 1: one was broken, 2: wrong command line, 130: interrupted.
        """

    let say: (String) -> Void

    func run(_ arguments: [String]) -> Int32 {
        if arguments.first == "snapshots" {
            return SimulateSnapshots.run(
                Array(arguments.dropFirst()), say: say, complain: Console.complain)
        }
        if arguments.first == "members" {
            return SimulateMembers.run(
                Array(arguments.dropFirst()), say: say, complain: Console.complain)
        }
        if arguments.first == "multicast" {
            return MulticastProgram(say: say, complain: Console.complain).run(Array(arguments.dropFirst()))
        }
        if arguments.first == "help" || arguments.contains("--help") || arguments.contains("-h") {
            say(Self.usage)
            return 0
        }
        var options: SeedSweep.Options
        let printsJSON = arguments.contains("--json")
        do {
            options = try Self.options(from: arguments.filter { $0 != "--json" })
        } catch {
            Console.complain("simulate: \(error.description); see simulate --help")
            return 2
        }
        CrashingSeed.watch()
        // The run under way is finished first.
        Interrupt.watch()
        options.isInterrupted = { Interrupt.isAsked }
        let progress = ProgressLine()
        let (first, count) = (options.firstSeed, options.seeds)
        let command = "\(options.command) --processes \(options.processes)"
        options.willRun = { seed in
            CrashingSeed.note(seed: seed, "\(command) --seed \(seed) --trace")
            let done = Int(seed - first)
            progress.show(count: done) { "\(done) of \(count) seeds, \($0) a second" }
        }
        var sweep = SeedSweep(options)
        let isWell = sweep.run { if !printsJSON { say($0) } }
        progress.clear()
        if printsJSON { say(SimulateReport.json(of: sweep, options)) }
        if sweep.wasInterrupted { return Interrupt.exitCode }
        return isWell ? 0 : 1
    }

    private static let valued = ["--flaw", "--seed", "--seeds", "--from", "--processes", "--lines"]
    private static let known = valued + ["--trace", "--keep-going", "--restless", "--help"]

    private struct Fault: Error {
        let description: String
    }

    private static func options(from arguments: [String]) throws(Fault) -> SeedSweep.Options {
        var options = SeedSweep.Options()
        options.command = "synod simulate"
        options.seeds = 100
        options.lastLines = 60
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            let flag = parts.first ?? ""
            switch flag {
            case "--trace": options.printsTrace = true
            case "--keep-going": options.stopsAtFailure = false
            case "--restless": options.mix = .restless
            default:
                guard Self.valued.contains(flag)
                else {
                    let hint = NearestName.hint(flag, in: Self.known + ["members", "snapshots", "multicast"])
                    throw Fault(description: "\"\(argument)\" is no option\(hint)")
                }
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw Fault(description: "\(flag) needs a value")
                }
                guard set(flag, value, in: &options) else {
                    throw Fault(description: "\(flag) cannot be \"\(value)\"")
                }
            }
        }
        return options
    }

    private static func set(_ flag: String, _ value: String, in options: inout SeedSweep.Options) -> Bool {
        if flag == "--flaw" {
            guard let flaw = HostFlaw(rawValue: value) else { return false }
            options.flaw = flaw
            return true
        }
        guard let number = UInt64(value) else { return false }
        switch flag {
        case "--seed":
            options.firstSeed = number
            options.seeds = 1
        case "--seeds" where (1...1_000_000_000).contains(number): options.seeds = Int(number)
        case "--from": options.firstSeed = number
        case "--processes" where (2...15).contains(number): options.processes = Int(number)
        case "--lines" where number < 1_000_000_000: options.lastLines = Int(number)
        default: return false
        }
        return true
    }
}
