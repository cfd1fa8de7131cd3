import Automata
import GlobalSnapshot
import Simulation

/// What the harness asks of a process.
enum HostRequest: TraceValue {
    /// Send something that the draw chooses.
    case pass(UInt64, to: ProcessID)
    /// Ask for a snapshot; `nil` for one that the process names itself.
    case snapshot(SnapshotID?)
    case departed(ProcessID)

    var traceText: String { "\(self)" }
}

/// What a process tells the harness.
enum HostReport: TraceValue {
    case happened(RunEvent)
    case requested(SnapshotID)
    case published(SnapshotReport)
    case completed(RecordedSnapshot)
    case aborted(SnapshotID, SnapshotAbortion)
    case refused(SnapshotID, SnapshotRefusal)

    var traceText: String { "\(self)" }
}

/// Snapshots need none.
enum HostTimer: TraceValue, Equatable {
    var traceText: String { "" }
}

extension ChandyLamport.Message: TraceValue {
    public func trace(into hash: inout StableHash) {
        switch self {
        case .application(let payload): hash.combine(payload.bytes)
        case .marker(let id): id.trace(into: &hash)
        case .report(let report): report.id.trace(into: &hash)
        }
    }

    public var traceText: String { "\(self)" }
}

extension LaiYang.Message: TraceValue {
    public func trace(into hash: inout StableHash) {
        switch self {
        case .application(let payload, let colour):
            hash.combine(payload.bytes)
            hash.combine(colour.number)
        case .colour(let colour): hash.combine(colour.number)
        case .report(let report): report.id.trace(into: &hash)
        }
    }

    public var traceText: String { "\(self)" }
}

extension SnapshotID {
    fileprivate func trace(into hash: inout StableHash) {
        hash.combine(initiator?.rawValue ?? 0)
        hash.combine(sequence)
    }
}
