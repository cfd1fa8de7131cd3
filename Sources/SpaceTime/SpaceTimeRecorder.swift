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
        sending: [Sending] = [], state: String = "", details: [SpaceTimeRun.Detail] = [],
        outlook: SpaceTimeRun.Event.Outlook? = nil
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
                outlook: outlook, received: receiving, sent: numbers, clock: clocks[process]))
        return numbers
    }

    /// How many events the process has had.
    public func count(of process: Int) -> Int { clocks[process][process] }

    /// A cut by the number of events of each process that lie before it, in the run as it is by now.
    public mutating func cut(_ name: String, _ events: [Int], note: String) {
        var underWay: [Int] = []
        var uncaused: [Int] = []
        for (number, message) in run.messages.enumerated() {
            let isSent = run.events[message.sentBy].clock[message.from] <= events[message.from]
            let isReceived =
                message.receivedBy.map { run.events[$0].clock[message.to] <= events[message.to] } ?? false
            if isSent, !isReceived { underWay.append(number) }
            if isReceived, !isSent { uncaused.append(number) }
        }
        run.cuts.append(
            SpaceTimeRun.Cut(
                name: name, events: events, note: note, underWay: underWay, uncaused: uncaused))
    }

    public mutating func say(_ line: String) { run.summary.append(line) }
}
