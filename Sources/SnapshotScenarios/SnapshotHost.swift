import Automata
import GlobalSnapshot
import Simulation

/// One simulated process: an application wrapped by a snapshot core, and just enough of a host to carry out
/// what the core wants.
struct SnapshotHost<Core: SnapshotCore, Application: SnapshotApplication>: SimulatedProcess
where Core.Message: TraceValue {
    typealias Message = Core.Message
    typealias Timer = HostTimer
    typealias Request = HostRequest
    typealias Report = HostReport
    typealias Input = SimulatedInput<Message, Timer, Request>
    typealias Output = SimulatedOutput<Message, Timer, Report>

    let process: ProcessID
    private(set) var core: Core
    private(set) var application: Application
    /// Messages of the application so far, by channel from this process.
    private var sent: [ChannelCount] = []
    private var wanted: [Core.Output] = []

    init(_ settings: SnapshotSettings, application: Application) {
        process = settings.process
        core = Core(settings)
        self.application = application
    }

    mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .received(let message, let sender):
            drive(.received(message, from: sender), at: now, &outputs)
        case .requested(.pass(let draw, let receiver)): onPass(draw, to: receiver, at: now, &outputs)
        case .requested(.snapshot(let id)):
            let id = id ?? core.nextID
            outputs.append(.report(.requested(id)))
            drive(.snapshotRequested(id), at: now, &outputs)
        case .requested(.departed(let other)): drive(.departed(other), at: now, &outputs)
        case .start, .timerFired, .durable, .stored, .filesTurn: break
        }
    }

    private mutating func onPass(
        _ draw: UInt64, to receiver: ProcessID, at now: Instant, _ outputs: inout [Output]
    ) {
        guard let content = application.take(draw) else { return }
        let channel = ChannelID(from: process, to: receiver)
        let index = sent.firstIndex { $0.channel == channel } ?? sent.count
        if index == sent.count { sent.append(ChannelCount(channel: channel, count: 0)) }
        sent[index].count += 1
        let payload = Transfer(number: sent[index].count, content: content).payload
        happened(.sent(MessageID(channel: channel, number: sent[index].count), payload), &outputs)
        drive(.sent(payload, to: receiver), at: now, &outputs)
    }

    private func happened(_ kind: RunEvent.Kind, _ outputs: inout [Output]) {
        outputs.append(.report(.happened(RunEvent(process, kind))))
    }

    /// Gives the core an input and carries out what it wants, in order. States are handed in afterwards: they
    /// were kept when they were asked for.
    private mutating func drive(_ input: Core.Input, at now: Instant, _ outputs: inout [Output]) {
        wanted.removeAll(keepingCapacity: true)
        core.step(input, at: now, into: &wanted)
        var recorded: [Core.Input] = []
        for output in wanted {
            switch output {
            case .send(let message, let receiver):
                outputs.append(.send(message, to: receiver, after: .none))
            case .deliver(let payload, let sender):
                let transfer = Transfer(payload)
                application.receive(transfer.content)
                let channel = ChannelID(from: sender, to: process)
                happened(
                    .received(MessageID(channel: channel, number: transfer.number), payload), &outputs)
            case .recordState(let id):
                happened(.recorded(id), &outputs)
                recorded.append(.stateRecorded(id, application.state))
            case .publish(let report): outputs.append(.report(.published(report)))
            case .complete(let snapshot): outputs.append(.report(.completed(snapshot)))
            case .abort(let id, let reason): outputs.append(.report(.aborted(id, reason)))
            case .refuse(let id, let reason): outputs.append(.report(.refused(id, reason)))
            }
        }
        for input in recorded { drive(input, at: now, &outputs) }
    }
}
