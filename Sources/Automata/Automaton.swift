/// A distributed protocol as a deterministic value.
///
/// The same value is run by three hosts: the server, the simulator and the model checker. `step` reads no
/// clock, draws no randomness and performs no input or output: what the protocol wants from the world it
/// appends to `outputs`, which the host carries out in order.
///
/// A host keeps these promises:
/// - inputs are given one at a time, and `now` never goes back within one incarnation of a process;
/// - a record handed over with a persist output is durable before the host says so, and records become
///   durable in the order in which they were handed over;
/// - a message that names a record (`after`) leaves only once that record is durable, every other message
///   may leave at once. The network may lose, delay, duplicate and reorder messages;
/// - a process that crashed starts again from what was durable, never by replaying inputs.
public protocol Automaton {
    associatedtype Input
    associatedtype Output

    /// Takes one input and appends what follows from it to `outputs`, which the host reuses between steps.
    mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output])
}
