import Glibc

@main
enum Load {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.contains("--help") {
            say(Options.usage, to: 1)
            return
        }
        do throws(Failure) {
            let options = try Options(arguments)
            do throws(Failure) {
                try measure(Workload(options))
            } catch {
                fail(error, code: 1)
            }
        } catch {
            fail(error, code: 2)
        }
    }

    private static func measure(_ workload: Workload) throws(Failure) {
        // Opened first: a load that cannot say what it saw is not begun.
        let file = try workload.options.latencies.map { path throws(Failure) in try LatencyFile(path) }
        var generator = try Generator(workload)
        let before = processorSeconds()
        let seconds: Double
        do throws(Failure) {
            seconds = try generator.run()
        } catch {
            throw Failure("\(error.text) (\(workload.answered) of \(workload.options.count) answered)")
        }
        let cpu = processorSeconds() - before
        try file?.write(workload.microseconds)
        let sorted = workload.microseconds.sorted()
        func percentile(_ ofThousand: Int) -> UInt32 { sorted[sorted.count * ofThousand / 1_000] }
        say(
            """
            {"seconds": \(seconds), "count": \(workload.answered), "puts": \(workload.puts), \
            "ranges": \(workload.answered - workload.puts), "bytes": \(workload.bytes), "cpu": \(cpu), \
            "p50": \(percentile(500)), "p99": \(percentile(990)), "p99.9": \(percentile(999)), "worst": \(sorted.last!)}

            """, to: 1)
    }

    private static func fail(_ failure: Failure, code: Int32) -> Never {
        say("load: \(failure.text)\n", to: 2)
        exit(code)
    }

    private static func say(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { _ = write(descriptor, $0.baseAddress, $0.count) }
    }

    /// User and system time of this process.
    private static func processorSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) {
            $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
        }
    }
}

/// The latencies as 32 bits each, lowest byte first.
private final class LatencyFile {
    private let path: String
    private let file: UnsafeMutablePointer<FILE>

    init(_ path: String) throws(Failure) {
        self.path = path
        guard let file = fopen(path, "w") else { throw Self.failure(path) }
        self.file = file
    }

    func write(_ microseconds: [UInt32]) throws(Failure) {
        let words = microseconds.map(\.littleEndian)
        guard fwrite(words, MemoryLayout<UInt32>.size, words.count, file) == words.count, fflush(file) == 0
        else {
            throw Self.failure(path)
        }
    }

    deinit { fclose(file) }

    private static func failure(_ path: String) -> Failure {
        Failure("--latencies \(path): \(String(cString: strerror(errno)))")
    }
}
