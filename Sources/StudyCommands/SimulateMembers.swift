import LongWork
import ReplicaSimulation
import TextForms

/// `simulate members --seeds 2000`, or one seed with its trace: `simulate members --seed 7 --trace`.
enum SimulateMembers {
    static let usage = """
        usage: simulate members [--seed N [--trace] | --seeds COUNT --from N] [options]

        Clusters of one to five whole members and some learners in simulated time: the production member with its
        clients' puts, transactions, compactions, leases, reads and watches, its log on files behind a page cache, stores that
        get full and go back to their last durable point, members that stop in order, that join, are promoted, replaced
        and removed, that lose their disks or find something else in their logs than they wrote, machines that sleep,
        clocks that run wrong or leap, slow disks. Judged by what clients were told.

          --seed N         this seed alone
          --seeds COUNT    so many seeds (default 100), the first of them --from N (default 1)
          --trace          print the whole trace of each run
          --keep-going     go on after a failure
          --without KINDS  without these kinds of faults, of all that the seeds draw: \
        \(MemberFault.allCases.map(\.rawValue).joined(separator: ", "))
          --faults KINDS   with these kinds of faults alone, or none
          --operations N   clients ask for no more than N things while faults strike
          --strikes N      no more than N faults strike
          --milliseconds N faults strike for no longer
          --flaw NAME      with a deliberate error, which must be caught: \
        \(MemberFlaw.allCases.map(\.rawValue).joined(separator: ", "))

        A sweep of \(MemberSweep.seedsThatSeeAll) seeds or more fails as well when no run came by some kind of fault or point.
        A run that fails is made smaller in at most \(MemberSweep.shrinkingRuns) further runs: without kinds of faults,
        with fewer faults and operations, and shorter. What is printed for it is a command like the seed's.

        Exit code 0: every promise was kept, 1: one was broken, 2: wrong command line, 130: interrupted.
        """

    private static let valued = [
        "--seed", "--seeds", "--from", "--flaw", "--without", "--faults", "--operations", "--strikes",
        "--milliseconds",
    ]
    private static let known = valued + ["--trace", "--keep-going", "--help"]

    /// Returns the exit code.
    static func run(_ arguments: [String], say: (String) -> Void, complain: (String) -> Void) -> Int32 {
        var options = MemberSweep.Options()
        options.seeds = 100
        var printsTrace = false
        var rest = arguments[...]
        func refuse(_ reason: String) -> Int32 {
            complain("simulate members: \(reason); see simulate members --help")
            return 2
        }
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            let flag = parts.first ?? ""
            switch flag {
            case "--help", "-h", "help":
                say(usage)
                return 0
            case "--trace": printsTrace = true
            case "--keep-going": options.stopsAtFailure = false
            case _ where valued.contains(flag):
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    return refuse("\(flag) needs a value")
                }
                guard set(flag, value, in: &options) else {
                    return refuse("\(flag) cannot be \"\(value)\"")
                }
            default: return refuse("\"\(argument)\" is no option\(NearestName.hint(flag, in: known))")
            }
        }
        CrashingSeed.watch()
        if printsTrace {
            options.shrinks = false
            for offset in 0..<UInt64(options.seeds) {
                var one = MemberRun.Options(seed: options.firstSeed + offset)
                (one.flaw, one.reduction) = (options.flaw, options.reduction)
                one.keeping = .everything
                MemberRun.run(one).trace.forEach(say)
            }
        }
        Interrupt.watch()
        options.isInterrupted = { Interrupt.isAsked }
        let progress = ProgressLine()
        let (first, count) = (options.firstSeed, options.seeds)
        let replays = options
        options.willRun = { seed, reduction in
            CrashingSeed.note(seed: seed, replays.replay(seed, reduction))
            let done = Int(seed - first)
            progress.show(count: done) { "\(done) of \(count) seeds, \($0) a second" }
        }
        var sweep = MemberSweep(options)
        let isWell = sweep.run { say($0) }
        progress.clear()
        if sweep.wasInterrupted { return Interrupt.exitCode }
        return isWell ? 0 : 1
    }

    private static func set(_ flag: String, _ value: String, in options: inout MemberSweep.Options) -> Bool {
        if flag == "--flaw" {
            options.flaw = MemberFlaw(rawValue: value)
            return options.flaw != nil
        }
        if flag == "--without" || flag == "--faults" {
            guard let faults = MemberReduction.faults(in: value) else { return false }
            let isKept = flag == "--faults"
            for fault in MemberFault.allCases where faults.contains(fault) != isKept {
                options.reduction.leaveOut(fault)
            }
            return true
        }
        guard let number = UInt64(value), flag != "--seeds" || (1..<1_000_000_000).contains(number) else {
            return false
        }
        switch flag {
        case "--seed": (options.firstSeed, options.seeds) = (number, 1)
        case "--seeds": options.seeds = Int(number)
        case "--operations": options.reduction.operations = Int(clamping: number)
        case "--strikes": options.reduction.strikes = Int(clamping: number)
        case "--milliseconds" where number <= 1_000_000: options.reduction.milliseconds = Int(number)
        case "--milliseconds": return false
        default: options.firstSeed = number
        }
        return true
    }
}
