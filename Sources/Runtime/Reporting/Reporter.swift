import Automata
import Synchronization

/// Where every part of a server says what happens. Any thread.
public struct Reporter: Sendable {
    private let minimum: ServerOptions.LogLevel
    private let log: @Sendable (LogRecord) -> Void
    /// What the members are called.
    let names = MemberNames()

    public init(
        minimum: ServerOptions.LogLevel = .debug, log: @escaping @Sendable (LogRecord) -> Void = { _ in }
    ) {
        self.minimum = minimum
        self.log = log
    }

    public func callAsFunction(
        _ level: ServerOptions.LogLevel, _ line: @autoclosure () -> LogLine, file: String = #fileID,
        at number: Int = #line
    ) {
        guard level >= minimum else { return }
        let line = line()
        log(
            LogRecord(
                level: level, message: names.text(of: line), fields: line.fields, caller: "\(file):\(number)")
        )
    }
}

/// What the members are called, as far as this process has heard: a number of 16 digits tells nobody anything.
final class MemberNames: Sendable {
    private let names = Mutex([(id: ProcessID, name: String)]())

    func use(_ members: [Identity.Member]) {
        names.withLock { names in names = members.map { ($0.id, $0.name) } }
    }

    /// `s2`, or the number.
    func name(of id: ProcessID) -> String {
        let name = names.withLock { names in names.first { $0.id == id }?.name } ?? ""
        return name.isEmpty ? hex(id.rawValue) : name
    }

    /// `s2 (8211f1d0f64f3269)`, or the number alone.
    func text(of id: ProcessID) -> String {
        let (name, number) = (name(of: id), hex(id.rawValue))
        return name == number ? number : "\(name) (\(number))"
    }

    func text(of line: LogLine) -> String {
        var text = ""
        for piece in line.pieces {
            switch piece {
            case .text(let words): text += words
            case .member(let id): text += self.text(of: id)
            }
        }
        return text
    }
}
