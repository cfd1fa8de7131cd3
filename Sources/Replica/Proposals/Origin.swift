import Automata

/// The process, and the start of it, at which something was proposed.
struct Origin: Hashable, Sendable {
    let process: ProcessID
    let incarnation: UInt64
    /// Of the message that brought it here; zero at home.
    var sequence: UInt64 = 0
}
