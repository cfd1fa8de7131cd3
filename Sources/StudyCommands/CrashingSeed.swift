import Glibc

/// Says which run was under way when a trap or a bad access ends the process, so that it can be run again. There is one
/// thread that runs seeds.
enum CrashingSeed {
    /// The line is made before the run, as a signal handler may make nothing.
    nonisolated(unsafe) private static let line = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    nonisolated(unsafe) private static var length = 0
    /// What handled these signals before: the runtime, which prints where.
    nonisolated(unsafe) private static var earlier: [(signal: Int32, action: sigaction)] = []
    private static let capacity = 2_000

    /// From now on a signal that ends the process says first what was last noted.
    static func watch() {
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in CrashingSeed.say(number) }
            var before = sigaction()
            sigaction(number, &action, &before)
            earlier.append((number, before))
        }
    }

    /// `arguments` are those of the run about to begin, behind the command's name.
    static func note(seed: UInt64, _ command: String) {
        let text = "\nseed \(seed) crashes; run it again: \(command)\n".utf8.prefix(capacity)
        length = 0
        for (offset, byte) in text.enumerated() { line[offset] = byte }
        length = text.count
    }

    /// The signal comes again once this returns, and is handled as it would have been.
    private static func say(_ number: Int32) {
        _ = write(2, line, length)
        for index in earlier.indices where earlier[index].signal == number {
            sigaction(number, &earlier[index].action, nil)
        }
        raise(number)
    }
}
