import ReplicaSimulation

#if canImport(Glibc)
    import Glibc
#endif

/// `simulate --seeds 2000 --processes 3`, or one seed with its trace: `simulate --seed 7 --processes 3 --trace`.
func parsed(_ arguments: [String]) -> SeedSweep.Options? {
    var options = SeedSweep.Options()
    options.command = "SYNOD_CORE=1 swift run -c release simulate"
    var rest = arguments[...]
    while let flag = rest.popFirst() {
        if flag == "--trace" {
            options.printsTrace = true
            continue
        }
        if flag == "--keep-going" {
            options.stopsAtFailure = false
            continue
        }
        guard let number = rest.popFirst().flatMap({ UInt64($0) }) else { return nil }
        switch flag {
        case "--seeds": options.seeds = Int(number)
        case "--seed", "--from": options.firstSeed = number
        case "--processes" where (2...15).contains(number): options.processes = Int(number)
        case "--lines": options.lastLines = Int(number)
        default: return nil
        }
    }
    return options
}

setlinebuf(stdout)
guard let options = parsed(Array(CommandLine.arguments.dropFirst())) else {
    print("usage: simulate [--seed N | --seeds COUNT --from N] [--processes N] [--trace] [--keep-going] [--lines N]")
    exit(2)
}
var sweep = SeedSweep(options)
exit(sweep.run { print($0) } ? 0 : 1)
