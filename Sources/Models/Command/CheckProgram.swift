import Glibc
import LongWork
import ModelChecking

/// Runs what a command line of checks asks for and says how it ended.
public struct CheckProgram {
    /// Writes a line of the result.
    private let say: (String) -> Void
    private let isInterrupted: @Sendable () -> Bool

    public enum ExitCode {
        public static let holds: Int32 = 0
        public static let violated: Int32 = 1
        public static let usage: Int32 = 2
        public static let boundReached: Int32 = 3
        /// What was found so far has been said.
        public static let interrupted = Interrupt.exitCode
    }

    /// `isInterrupted` is asked while a search goes on: once it says yes, what was found so far is said.
    public init(
        say: @escaping (String) -> Void, isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) {
        self.say = say
        self.isInterrupted = isInterrupted
    }

    /// `arguments` without the name of the program. The result is the exit code.
    public func run(_ arguments: [String]) -> Int32 {
        var parsed: CheckArguments
        do {
            parsed = try CheckArguments(
                arguments, workers: Machine.cores, memoryBytes: Machine.memoryBytes / 4 * 3)
        } catch {
            Terminal.complain("check: \(error.message); see check --help")
            return ExitCode.usage
        }
        parsed.options.isInterrupted = isInterrupted
        switch parsed.task {
        case .help:
            say(CheckArguments.usage)
            return ExitCode.holds
        case .counts:
            let comparison = KnownCounts.Comparison(parsed.options, showsProgress: parsed.showsProgress)
            return comparison.run(printsJSON: parsed.printsJSON, say: say)
        case .check(let model):
            let run = TimedCheck(model, parsed.options, showsProgress: parsed.showsProgress)
            if parsed.printsJSON {
                say(run.json(withSteps: parsed.printsSteps))
            } else {
                run.lines.forEach(say)
            }
            return run.isInterrupted ? ExitCode.interrupted : exitCode(run.report.verdict)
        }
    }

    private func exitCode(_ verdict: CheckReport.Verdict) -> Int32 {
        switch verdict {
        case .holds: ExitCode.holds
        case .violated: ExitCode.violated
        case .boundReached: ExitCode.boundReached
        }
    }
}

/// What the operating system says about the machine.
enum Machine {
    static var cores: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
    static var memoryBytes: Int {
        Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
