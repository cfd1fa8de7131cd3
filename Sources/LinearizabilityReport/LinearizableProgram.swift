import Glibc
import Linearizability

/// `synod linearizable --model M FILE…`: whether recorded histories are linearizable.
///
/// Exit codes: 0 all are, 1 one is not, 2 wrong command line or malformed history, 3 a search reached its bound.
public struct LinearizableProgram {
    public static let usage = """
        usage: linearizable --model \(ObjectModel.allCases.map(\.rawValue).joined(separator: "|")) [options] FILE…

          --model M       what the operations are held against: \
        read, write, cas; get, put, append; enqueue, dequeue; acquire, release
          --json          one line of JSON for each history
          --svg FILE      also a picture of the one history
          --memory MIB    for what a search remembers (default 2048)
          --cut-down S    seconds, once the verdict is printed, for showing why it is not (default 0.3)

        A file that is named - is standard input. Exit code 0: linearizable, 1: not, 2: wrong command line or
        malformed history, 3: the bound on memory was reached.
        """

    private let say: (String) -> Void
    private let complain: (String) -> Void

    public init(say: @escaping (String) -> Void, complain: @escaping (String) -> Void) {
        self.say = say
        self.complain = complain
    }

    public func run(_ arguments: [String]) -> Int32 {
        do {
            let request = try LinearizableArguments(arguments)
            guard !request.isHelp else {
                say(Self.usage)
                return 0
            }
            return try check(request)
        } catch {
            complain("linearizable: \(error); see linearizable --help")
            return 2
        }
    }

    private func check(_ request: LinearizableArguments) throws -> Int32 {
        var codes: [Int32] = []
        for file in request.files {
            let verdict: HistoryVerdict
            do {
                let history = try HistoryReader(hasKeys: request.model.hasKeys).read(try contents(of: file))
                let limits = HistoryLimits(bytes: request.memoryBytes, cutDownTime: request.cutDownTime)
                verdict = try request.model.check(history, limits: limits) { verdict in
                    if !request.printsJSON { say(verdict.headline(name: file, model: request.model)) }
                }
            } catch let error as HistoryError {
                complain("\(file): \(error)")
                codes.append(2)
                continue
            }
            if request.printsJSON {
                say(verdict.json(name: file, model: request.model))
            } else {
                verdict.explanation.forEach(say)
            }
            if let picture = request.picture {
                try write(verdict.svg(name: file, model: request.model), to: picture)
            }
            switch verdict.outcome {
            case .linearizable: codes.append(0)
            case .violated: codes.append(1)
            case .boundReached, .undecided: codes.append(3)
            }
        }
        return [2, 1, 3].first(where: codes.contains) ?? 0
    }

    private func contents(of path: String) throws -> String {
        guard let file = fopen(path == "-" ? "/dev/stdin" : path, "r") else {
            throw HistoryError(line: nil, "cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            if count == 0 { break }
            bytes += piece[..<count]
        }
        guard ferror(file) == 0 else {
            throw HistoryError(line: nil, "cannot be read: \(String(cString: strerror(errno)))")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else {
            throw HistoryError(line: nil, "\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else {
            throw HistoryError(line: nil, "\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}
