import Glibc
import ModelChecking
import Synchronization

/// Runs what a command line of checks asks for and says how it ended.
public struct CheckProgram {
    /// Writes a line of the result.
    private let say: (String) -> Void

    public enum ExitCode {
        public static let holds: Int32 = 0
        public static let violated: Int32 = 1
        public static let usage: Int32 = 2
        public static let boundReached: Int32 = 3
    }

    public init(say: @escaping (String) -> Void) { self.say = say }

    /// `arguments` without the name of the program. The result is the exit code.
    public func run(_ arguments: [String]) -> Int32 {
        let parsed: CheckArguments
        do {
            parsed = try CheckArguments(
                arguments, workers: Machine.cores, memoryBytes: Machine.memoryBytes / 4 * 3)
        } catch {
            Terminal.complain("check: \(error.message)\n\(CheckArguments.usage)")
            return ExitCode.usage
        }
        switch parsed.task {
        case .help:
            say(CheckArguments.usage)
            return ExitCode.holds
        case .counts: return KnownCounts.compare(parsed.options, say: say)
        case .check(let model):
            let run = TimedCheck(model, parsed.options, showsProgress: parsed.showsProgress)
            if parsed.printsJSON {
                say(run.json(withSteps: parsed.printsSteps))
            } else {
                run.lines.forEach(say)
            }
            return exitCode(run.report.verdict)
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

/// Standard error, where progress and complaints go, so that standard output is the result alone.
enum Terminal {
    static var isThere: Bool { isatty(2) == 1 }

    static func complain(_ text: String) { put(text + "\n") }

    /// Takes the place of the line before.
    static func replaceLine(_ text: String) { put("\r\u{1B}[K" + text) }

    private static func put(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
