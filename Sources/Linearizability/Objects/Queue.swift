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
        var concerned: [String: (enqueues: Int, all: [Int])] = [:]
        for (index, operation) in operations.enumerated() {
            if case .enqueue(let value) = operation.call {
                concerned[value, default: (0, [])].enqueues += 1
                concerned[value, default: (0, [])].all.append(index)
            } else if case .value(let value?) = operation.answer {
                concerned[value, default: (0, [])].all.append(index)
            }
        }
        for operation in operations {
            guard case .enqueue(let value) = operation.call, let set = concerned[value], set.enqueues == 1
            else { continue }
            sets.append(set.all)
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
