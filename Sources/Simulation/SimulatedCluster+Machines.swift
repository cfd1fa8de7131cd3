import Automata

/// Faults of one machine that its process lives through.
extension SimulatedCluster {
    /// Lets the machine sleep for a while. Those who have connections to it are not told.
    ///
    /// The clock is one that counts on meanwhile, as the server's does: it is the timers that stand still.
    public mutating func suspend(_ process: ProcessID, lasting span: TimeSpan) {
        let index = index(of: process)
        guard hosts[index].process != nil, !hosts[index].isPaused else { return }
        count(\.suspensions)
        hosts[index].isPaused = true
        hosts[index].asleepSince = now
        network.lose(index, withItsSystem: true, at: now)
        trace.note(.suspended, at: now, process)
        queue.schedule(.resume(index, incarnation: hosts[index].incarnation), at: now + span)
    }

    /// The clock shows a later time from now on, and nothing else has happened.
    public mutating func advanceClock(of process: ProcessID, by span: TimeSpan) {
        let index = index(of: process)
        guard hosts[index].process != nil else { return }
        count(\.clockJumps)
        jumped = jumped + span
        hosts[index].clock.origin += span.nanoseconds
        trace.note(.clockJumped, at: now, process, span.nanoseconds)
    }

    /// Notes that the harness has changed something on the disk of the process.
    public mutating func noteDamage(of process: ProcessID) { trace.note(.damaged, at: now, process) }

    /// Lets each sync take long for a while.
    public mutating func slowDisk(of process: ProcessID, lasting span: TimeSpan) {
        let index = index(of: process)
        count(\.slowDisks)
        hosts[index].slowUntil = now + span
        trace.note(.slowed, at: now, process)
    }
}

extension Strike {
    var isOfOneMachine: Bool {
        switch self {
        case .crash, .pause, .suspension, .clockJump, .slowDisk: true
        case .partition, .clog, .reset, .halfOpen: false
        }
    }
}
