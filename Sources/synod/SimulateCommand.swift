import ArgumentParser
import ReplicaSimulation

/// `synod simulate`: clusters of the production replica with faults of every kind, each drawn from its seed.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract:
            "Run clusters in simulated time with faults, one for each seed, and check what they promise.",
        discussion: "Exit code 0 when all promises held, 1 when one was broken, 2 for a wrong command line.")

    @Option(help: "Run this seed alone.") var seed: UInt64?
    @Option(help: "Number of seeds.") var seeds = 100
    @Option(help: "The first of them.") var from: UInt64 = 1
    @Option(help: "Processes of each cluster.") var processes = 3
    @Flag(help: "Print the whole trace of each run.") var trace = false
    @Option(help: "Lines of the trace of a failing run that are printed.") var lines = 60
    @Flag(help: "Go on after a failure.") var keepGoing = false

    func validate() throws {
        guard (2...15).contains(processes) else { throw ValidationError("--processes must be from 2 to 15") }
        guard seeds > 0 else { throw ValidationError("--seeds must be at least 1") }
    }

    func run() throws {
        var options = SeedSweep.Options()
        options.firstSeed = seed ?? from
        options.seeds = seed == nil ? seeds : 1
        options.processes = processes
        options.printsTrace = trace
        options.lastLines = lines
        options.stopsAtFailure = !keepGoing
        var sweep = SeedSweep(options)
        if !sweep.run(say: { print($0) }) { throw ExitCode(1) }
    }
}
