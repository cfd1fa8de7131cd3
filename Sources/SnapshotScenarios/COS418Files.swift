import Automata
import GlobalSnapshot

/// A `.top` file: servers with their tokens, and the links between them.
///
/// A process is the position of its server's name among all names sorted as strings, counted from 1, so that
/// the order of processes is the order of names.
struct COS418Topology {
    /// Sorted.
    let names: [String]
    /// By position in `names`.
    let tokens: [UInt64]
    let links: SnapshotTopology

    init(_ text: String) throws(COS418.Fault) {
        var lines = COS418Lines(text).all[...]
        guard let first = lines.popFirst(), first.words.count == 1, let count = Int(first.words[0]),
            count > 0, lines.count >= count
        else {
            throw COS418.Fault(message: "topology: the first line says how many servers follow")
        }
        var servers: [(name: String, tokens: UInt64)] = []
        for line in lines.prefix(count) {
            guard line.words.count == 2, let tokens = UInt64(line.words[1]),
                !servers.contains(where: { $0.name == line.words[0] })
            else {
                throw COS418.Fault(message: "topology line \(line.number): write a new server and its tokens")
            }
            servers.append((line.words[0], tokens))
        }
        servers.sort { $0.name < $1.name }
        let names = servers.map(\.name)
        var channels: [ChannelID] = []
        for line in lines.dropFirst(count) {
            let ends = line.words.compactMap { names.firstIndex(of: $0) }
            guard line.words.count == 2, ends.count == 2, ends[0] != ends[1] else {
                throw COS418.Fault(message: "topology line \(line.number): write two servers")
            }
            channels.append(ChannelID(from: Self.process(ends[0]), to: Self.process(ends[1])))
        }
        self.names = names
        tokens = servers.map(\.tokens)
        links = SnapshotTopology(processes: names.indices.map(Self.process), channels: channels)
    }

    private static func process(_ index: Int) -> ProcessID { ProcessID(UInt64(index) + 1) }
    func process(named name: String) -> ProcessID? { names.firstIndex(of: name).map(Self.process) }
    func index(of process: ProcessID) -> Int { Int(process.rawValue) - 1 }

    /// A number of tokens as the bytes that a core carries.
    static func payload(_ count: UInt64) -> Payload { Payload(String(count)) }
    static func count(_ payload: Payload) -> UInt64 {
        guard let count = UInt64(payload.description) else {
            preconditionFailure("\(payload) is no number of tokens")
        }
        return count
    }

    /// A snapshot as the text of a `.snap` file.
    func text(_ snapshot: RecordedSnapshot) -> String {
        var lines = ["\(snapshot.id.sequence)"]
        lines += snapshot.states.map { "\(names[index(of: $0.process)]) \($0.state)" }
        lines += snapshot.messages.map {
            "\(names[index(of: $0.channel.from)]) \(names[index(of: $0.channel.to)]) token(\($0.payload))"
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// A line of an `.events` file.
enum COS418Event: Hashable {
    case send(from: String, to: String, count: UInt64)
    case snapshot(String)
    case tick(Int)

    /// The events with the numbers of their lines.
    static func parsed(_ text: String) throws(COS418.Fault) -> [(line: Int, event: COS418Event)] {
        var events: [(line: Int, event: COS418Event)] = []
        for line in COS418Lines(text).all {
            let words = line.words
            switch (words[0], words.count) {
            case ("send", 4):
                guard let count = UInt64(words[3]) else { fallthrough }
                events.append((line.number, .send(from: words[1], to: words[2], count: count)))
            case ("snapshot", 2): events.append((line.number, .snapshot(words[1])))
            case ("tick", 1): events.append((line.number, .tick(1)))
            case ("tick", 2) where Int(words[1]).map({ $0 >= 0 }) == true:
                events.append((line.number, .tick(Int(words[1]) ?? 0)))
            default:
                throw COS418.Fault(
                    message: "events line \(line.number): write send A B n, snapshot A or tick [n]")
            }
        }
        return events
    }
}

/// The lines of a file that say something; `#` starts a comment.
struct COS418Lines {
    let all: [(number: Int, words: [String])]

    init(_ text: String) {
        var all: [(Int, [String])] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let said = line.prefix { $0 != "#" }
            let words = said.split(whereSeparator: \.isWhitespace).map(String.init)
            if !words.isEmpty { all.append((index + 1, words)) }
        }
        self.all = all
    }
}
