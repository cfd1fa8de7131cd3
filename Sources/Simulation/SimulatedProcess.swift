import Automata

/// A value that can be written into a trace: as a line for people, and as words of a hash that is the same
/// in every run.
public protocol TraceValue {
    func trace(into hash: inout StableHash)
    var traceText: String { get }
}

extension TraceValue {
    /// Hashes the text: enough for what is rare.
    public func trace(into hash: inout StableHash) { hash.combine(Array(traceText.utf8)) }
}

/// An automaton together with as much of a host as it needs to live on simulated hardware: it writes bytes
/// to a simulated disk, its messages cross a simulated network, and it starts again from its disk.
///
/// Anything deterministic can be one: a protocol with its state machine, or the protocol alone.
public protocol SimulatedProcess<Message, Timer, Request, Report>: Automaton
where
    Input == SimulatedInput<Message, Timer, Request>, Output == SimulatedOutput<Message, Timer, Report>
{
    associatedtype Message: TraceValue
    associatedtype Timer: TraceValue & Equatable
    /// What the harness asks of the process, as its clients would.
    associatedtype Request: TraceValue
    /// What the process tells the harness, as it would its clients.
    associatedtype Report: TraceValue

    /// What the message is to connections.
    static func parcel(_ message: Message) -> Parcel
}

extension SimulatedProcess {
    public static func parcel(_ message: Message) -> Parcel { Parcel(bytes: 64, lane: .urgent) }
}

public enum SimulatedInput<Message, Timer, Request> {
    /// The first input of every incarnation.
    case start
    case received(Message, from: ProcessID)
    case timerFired(Timer)
    /// All writes to files up to this one are durable.
    case durable(upTo: RecordNumber)
    /// All stores to cells up to this one are durable.
    case stored(upTo: RecordNumber)
    /// The time that `useFiles` takes has passed: whatever the process does with `SimulatedDisk.cachedFiles` in this
    /// step has taken it. A machine that goes down meanwhile stops somewhere in the middle of the step.
    case filesTurn
    case requested(Request)
}

public enum SimulatedOutput<Message, Timer, Report> {
    /// When `after` is not `.none`, only once that write is durable.
    case send(Message, to: ProcessID, after: RecordNumber)
    /// Ends a connection with all that is on its way, and makes another. Nothing where there are none.
    case dial(ProcessID, Lane)
    /// Adds bytes to the end of a file, which is made when there is none. Writes to files are counted from
    /// 1 in each incarnation; they are synced in the background, as many at once as are waiting.
    case append([UInt8], file: UInt64)
    /// Shortens a file; a write, like `append`.
    case truncate(file: UInt64, to: Int)
    /// Removes a file; a write, like `append`.
    case remove(file: UInt64)
    /// Replaces a cell as a whole. Stores are counted from 1 in each incarnation.
    case store([UInt8], cell: UInt64)
    /// Asks for a `filesTurn`, which comes after as long as a sync takes.
    case useFiles
    /// The process ends, and is started again as after a crash.
    case end
    /// The delay is drawn from the range; setting a timer again replaces it.
    case setTimer(Timer, after: ClosedRange<TimeSpan>)
    case cancelTimer(Timer)
    case report(Report)
}
