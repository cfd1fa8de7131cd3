/// Writes a run down while it happens.
public struct SpaceTimeRecorder: Sendable {
    public struct Sending: Sendable {
        let to: Int
        let kind: SpaceTimeRun.Message.Kind
        let label: String

        public init(to: Int, _ kind: SpaceTimeRun.Message.Kind, _ label: String) {
            self.to = to
            self.kind = kind
            self.label = label
        }
    }

    public private(set) var run: SpaceTimeRun
    private var clocks: [[Int]]

    public init(title: String, processes: [String]) {
        run = SpaceTimeRun(title: title, processes: processes)
        clocks = processes.map { _ in processes.map { _ in 0 } }
    }

    /// Notes an event of a process; returns the numbers of the messages that it sent, in the order given.
    @discardableResult
    public mutating func note(
        _ process: Int, _ kind: SpaceTimeRun.Event.Kind = .step, _ sentence: String, receiving: Int? = nil,
        sending: [Sending] = [], state: String = "", details: [SpaceTimeRun.Detail] = []
    ) -> [Int] {
        let index = run.events.count
        if let receiving {
            run.messages[receiving].receivedBy = index
            let sender = run.events[run.messages[receiving].sentBy].clock
            clocks[process] = zip(clocks[process], sender).map(max)
        }
        clocks[process][process] += 1
        let numbers = sending.indices.map { run.messages.count + $0 }
        for message in sending {
            run.messages.append(
                SpaceTimeRun.Message(
                    from: process, to: message.to, kind: message.kind, label: message.label, sentBy: index,
                    receivedBy: nil))
        }
        run.events.append(
            SpaceTimeRun.Event(
                process: process, kind: kind, sentence: sentence, state: state, details: details,
                received: receiving,
                sent: numbers, clock: clocks[process]))
        return numbers
    }

    /// How many events the process has had.
    public func count(of process: Int) -> Int { clocks[process][process] }

    /// A cut by the number of events of each process that lie before it.
    public mutating func cut(_ name: String, _ events: [Int], note: String) {
        let isConsistent = run.messages.allSatisfy { message in
            guard let receivedBy = message.receivedBy else { return true }
            let isReceived = run.events[receivedBy].clock[message.to] <= events[message.to]
            return !isReceived || run.events[message.sentBy].clock[message.from] <= events[message.from]
        }
        run.cuts.append(SpaceTimeRun.Cut(name: name, events: events, note: note, isConsistent: isConsistent))
    }

    public mutating func say(_ line: String) { run.summary.append(line) }
}
