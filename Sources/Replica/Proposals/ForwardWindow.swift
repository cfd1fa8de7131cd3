import Automata

/// Which messages of a process a leader has seen, so that a copy made by the network proposes nothing twice.
struct ForwardWindow: Hashable, Sendable {
    let process: ProcessID
    private var incarnation: UInt64 = 0
    private var highest: UInt64 = 0
    /// Bit n: `highest` - n was seen.
    private var seen: UInt64 = 0

    init(_ process: ProcessID) { self.process = process }

    /// Whether this is the first time. What came so late that it is out of the window counts as a copy.
    mutating func admit(incarnation number: UInt64, sequence: UInt64) -> Bool {
        if number > incarnation {
            incarnation = number
            highest = sequence
            seen = 1
            return true
        }
        guard number == incarnation else { return false }
        if sequence > highest {
            let shift = sequence - highest
            seen = shift < 64 ? seen << shift | 1 : 1
            highest = sequence
            return true
        }
        let age = highest - sequence
        guard age < 64, seen & (1 << age) == 0 else { return false }
        seen |= 1 << age
        return true
    }
}

extension [ForwardWindow] {
    /// Whether this message is the first of its kind.
    mutating func admit(_ process: ProcessID, _ forward: ReplicaMessage.Forward) -> Bool {
        let index = firstIndex { $0.process == process } ?? endIndex
        if index == endIndex { append(ForwardWindow(process)) }
        return self[index].admit(incarnation: forward.incarnation, sequence: forward.sequence)
    }
}
