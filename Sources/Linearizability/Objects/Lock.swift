/// A lock with `acquire` and `release`, which the process that is recorded holds. An `ok` says that it got the lock,
/// or gave it back; who did not is recorded as `fail`.
public struct Lock: RecordedObject {
    public enum Call: Hashable, Sendable {
        case acquire(process: Int)
        case release(process: Int)
    }

    private var holder: Int?

    public init() {}

    /// Whether it took effect.
    public mutating func apply(_ call: Call) -> Bool {
        switch call {
        case .acquire(let process):
            guard holder == nil else { return false }
            holder = process
        case .release(let process):
            guard holder == process else { return false }
            holder = nil
        }
        return true
    }

    public static func isObservation(_ call: Call) -> Bool { false }

    static func operation(_ recorded: RecordedOperation) throws -> Operation<Lock> {
        switch recorded.function {
        case "acquire", "lock": operation(recorded, .acquire(process: recorded.process), true)
        case "release", "unlock": operation(recorded, .release(process: recorded.process), true)
        default: throw refuse(recorded, "acquire or release")
        }
    }
}
