import Automata

/// Leadership that is to be handed over, from the request until the target leads or is given up.
struct LeaderTransfer: Hashable, Sendable {
    let target: ProcessID
    /// Heartbeats until it is given up.
    private var pulsesLeft: UInt64
    /// The target was told to stand since the last heartbeat.
    private(set) var isTold = false

    init(to target: ProcessID, pulses: UInt64) {
        self.target = target
        pulsesLeft = pulses
    }

    mutating func noteTold() { isTold = true }

    /// At a heartbeat; whether the target's time is over. The word may have been lost; it is said again, as it
    /// binds nobody.
    mutating func countDown() -> Bool {
        isTold = false
        pulsesLeft -= 1
        return pulsesLeft == 0
    }
}
