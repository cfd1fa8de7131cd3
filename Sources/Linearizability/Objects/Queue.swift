/// A queue, first in first out, with `enqueue V` and `dequeue`, whose answer is nil when the queue is empty.
///
/// Everything about one value can be left out together, when only one operation enqueues it and no dequeue has an
/// unknown answer: in a linearization the others stand in the queue as before, and who found it empty still does.
public struct Queue: RecordedObject {
    public enum Call: Hashable, Sendable {
        case enqueue(String)
        case dequeue
    }

    public enum Answer: Hashable, Sendable {
        case enqueued
        case value(String?)
    }

    private var values: [String] = []

    public init() {}

    public mutating func apply(_ call: Call) -> Answer {
        switch call {
        case .enqueue(let value):
            values.append(value)
            return .enqueued
        case .dequeue: return .value(values.isEmpty ? nil : values.removeFirst())
        }
    }

    public static func isObservation(_ call: Call) -> Bool { false }

    public static func separable(_ operations: [Operation<Queue>]) -> [[Int]] {
        guard !operations.contains(where: { $0.call == .dequeue && $0.answer == nil }) else { return [] }
        var sets: [[Int]] = operations.indices.filter { operations[$0].answer == .value(nil) }.map { [$0] }
        for (index, operation) in operations.enumerated() {
            guard case .enqueue(let value) = operation.call else { continue }
            let others = operations.indices.filter {
                $0 != index
                    && (operations[$0].call == operation.call || operations[$0].answer == .value(value))
            }
            if !others.contains(where: { operations[$0].call == operation.call }) {
                sets.append([index] + others)
            }
        }
        return sets
    }

    static func operation(_ recorded: RecordedOperation) throws -> Operation<Queue> {
        switch recorded.function {
        case "enqueue", "push": operation(recorded, .enqueue(try argument(recorded)), .enqueued)
        case "dequeue", "pop": operation(recorded, .dequeue, .value(recorded.answer))
        default: throw refuse(recorded, "enqueue or dequeue")
        }
    }
}
