import Glibc
import TextForms

/// The command line of a run of Princeton's COS 418: three files in, the snapshots out, each as the text of a
/// `.snap` file, with an empty line between two.
public struct Cos418Program {
    /// Writes a line of the result.
    private let say: (String) -> Void

    public enum ExitCode {
        public static let done: Int32 = 0
        /// A file cannot be read, or the run that it describes cannot be carried out.
        public static let impossible: Int32 = 1
        public static let usage: Int32 = 2
    }

    public static let usage = """
        usage: cos418 --topology F.top --events F.events --delays F.txt [--snapshot N]

        Carries out the events on the production core of Chandy and Lamport's algorithm and prints every
        snapshot that was taken, or only the one with that number, counted from 0.
        """

    public init(say: @escaping (String) -> Void) { self.say = say }

    /// `arguments` without the name of the program. The result is the exit code.
    public func run(_ arguments: [String]) -> Int32 {
        var files = (topology: "", events: "", delays: "")
        var only: Int?
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--help" || argument == "-h" {
                say(Self.usage)
                return ExitCode.done
            }
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard let flag = parts.first, flag.hasPrefix("--") else {
                return refuse("\"\(argument)\" is no option")
            }
            guard let value = parts.count > 1 ? parts[1] : rest.popFirst() else {
                return refuse("\(argument) needs a value")
            }
            switch flag {
            case "--topology": files.topology = value
            case "--events": files.events = value
            case "--delays": files.delays = value
            case "--snapshot":
                guard let number = Int(value), number >= 0 else {
                    return refuse("--snapshot needs a number, not \"\(value)\"")
                }
                only = number
            default:
                let known = ["--topology", "--events", "--delays", "--snapshot", "--help"]
                return refuse("there is no option \(flag)\(NearestName.hint(flag, in: known))")
            }
        }
        for (flag, file) in [
            ("topology", files.topology), ("events", files.events), ("delays", files.delays),
        ]
        where file.isEmpty { return refuse("--\(flag) is missing") }
        do {
            let snapshots = try COS418.run(
                topology: Self.text(files.topology), events: Self.text(files.events),
                delays: Self.text(files.delays))
            return print(snapshots, only)
        } catch {
            complain("cos418: \(error)")
            return ExitCode.impossible
        }
    }

    private func print(_ snapshots: [String], _ only: Int?) -> Int32 {
        if let only, !snapshots.indices.contains(only) {
            complain("cos418: there is no snapshot \(only) among \(snapshots.count)")
            return ExitCode.impossible
        }
        let wanted = only.map { [snapshots[$0]] } ?? snapshots
        for (index, snapshot) in wanted.enumerated() {
            if index > 0 { say("") }
            for line in snapshot.split(whereSeparator: \.isNewline) { say(String(line)) }
        }
        return ExitCode.done
    }

    private func refuse(_ reason: String) -> Int32 {
        complain("cos418: \(reason); see lab cos418 --help")
        return ExitCode.usage
    }

    private func complain(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        _ = write(2, bytes, bytes.count)
    }

    private static func text(_ path: String) throws(COS418.Fault) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw COS418.Fault(message: "\(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count >= 0 else {
                throw COS418.Fault(message: "\(path): \(String(cString: strerror(errno)))")
            }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
