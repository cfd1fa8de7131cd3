import Glibc
import Runtime

/// The log of a server: each line goes to every output with one write, so that lines of several threads never mix.
struct Log: Sendable {
    var form = LogForm.console
    private var descriptors: [Int32] = [2]

    init() {}

    /// - Parameter outputs: as `--log-outputs` names them: `default`, `stderr`, `stdout`, or the path of a file,
    ///   which is made when it is not there and only ever appended to, so that it can be cut from outside.
    init(_ outputs: [String], form: LogForm) throws(UsageError) {
        self.form = form
        descriptors = []
        for output in outputs {
            let descriptor: Int32
            switch output {
            case "default", "stderr", "systemd/journal": descriptor = 2
            case "stdout": descriptor = 1
            default:
                descriptor = open(output, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
                guard descriptor >= 0 else {
                    throw UsageError(
                        message:
                            "--log-outputs: cannot write to \(output): \(String(cString: strerror(errno)))")
                }
            }
            if !descriptors.contains(descriptor) { descriptors.append(descriptor) }
        }
    }

    @Sendable func write(_ record: LogRecord) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let line = form.line(record, at: now) + "\n"
        for descriptor in descriptors { writeAll(line, to: descriptor) }
    }
}

/// Writes the whole text, or as much as the descriptor takes before it fails.
func writeAll(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        bytes = bytes.dropFirst(count)
    }
}
