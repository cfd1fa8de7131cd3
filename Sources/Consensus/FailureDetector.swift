import Automata

/// Tells which processes seem to have crashed, by heartbeats (Chandra and Toueg, Unreliable Failure Detectors for
/// Reliable Distributed Systems, JACM 43(2), 1996), and whom to follow: Ω, the lowest process that is not suspected.
///
/// - `.perfect` (P): a process that was not heard of for the timeout has crashed, for good. True only where the
///   timeout is longer than an interval and the longest delay together, always.
/// - `.eventuallyPerfect` (◇P): a suspicion is taken back when the process is heard of, and its timeout grows. Where
///   delays have some bound from some time on, which nobody needs to know, each process is suspected wrongly only so
///   many times; from then on exactly those that crashed are suspected, and all follow the same leader.
///
/// ```
///   every interval          heartbeat to all others
///   heartbeat from q        q's timer anew; q was suspected: trust it, and wait longer from now on
///   q's timer fires         suspect q
/// ```
public struct FailureDetector: Automaton, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case perfect
        /// After each mistake the timeout of that process grows by so much.
        case eventuallyPerfect(growth: TimeSpan)
    }

    public enum Timer: Hashable, Sendable {
        case interval
        case timeout(ProcessID)
    }

    public enum Input: Hashable, Sendable {
        case start
        case heartbeat(from: ProcessID)
        case timerFired(Timer)
    }

    public enum Output: Hashable, Sendable {
        case sendHeartbeat(to: ProcessID)
        case setTimer(Timer, after: TimeSpan)
        case suspect(ProcessID)
        case trust(ProcessID)
        /// Whom Ω names from now on.
        case follow(ProcessID)
    }

    private struct Peer: Hashable, Sendable {
        let process: ProcessID
        var timeout: TimeSpan
        var isSuspected = false
    }

    public let process: ProcessID
    private let kind: Kind
    private let interval: TimeSpan
    /// In ascending order.
    private var peers: [Peer]
    private var followed: ProcessID?

    public init(
        process: ProcessID, processes: [ProcessID], kind: Kind, interval: TimeSpan, timeout: TimeSpan
    ) {
        self.process = process
        self.kind = kind
        self.interval = interval
        peers = processes.sorted().filter { $0 != process }.map { Peer(process: $0, timeout: timeout) }
    }

    /// In ascending order.
    public var suspected: [ProcessID] { peers.filter(\.isSuspected).map(\.process) }

    /// The lowest process that is not suspected; a process never suspects itself.
    public var leader: ProcessID {
        min(process, peers.first { !$0.isSuspected }?.process ?? process)
    }

    public mutating func step(_ input: Input, at now: Instant, into outputs: inout [Output]) {
        switch input {
        case .start:
            beat(&outputs)
            for peer in peers { outputs.append(.setTimer(.timeout(peer.process), after: peer.timeout)) }
        case .timerFired(.interval): beat(&outputs)
        case .timerFired(.timeout(let other)): onTimeout(other, &outputs)
        case .heartbeat(let sender): onHeartbeat(sender, &outputs)
        }
        if followed != leader {
            followed = leader
            outputs.append(.follow(leader))
        }
    }

    private func beat(_ outputs: inout [Output]) {
        for peer in peers { outputs.append(.sendHeartbeat(to: peer.process)) }
        outputs.append(.setTimer(.interval, after: interval))
    }

    private mutating func onTimeout(_ other: ProcessID, _ outputs: inout [Output]) {
        guard let index = peers.firstIndex(where: { $0.process == other }), !peers[index].isSuspected else {
            return
        }
        peers[index].isSuspected = true
        outputs.append(.suspect(other))
    }

    private mutating func onHeartbeat(_ sender: ProcessID, _ outputs: inout [Output]) {
        guard let index = peers.firstIndex(where: { $0.process == sender }) else { return }
        if peers[index].isSuspected {
            guard case .eventuallyPerfect(let growth) = kind else { return }
            peers[index].isSuspected = false
            peers[index].timeout = TimeSpan(
                nanoseconds: peers[index].timeout.nanoseconds + growth.nanoseconds)
            outputs.append(.trust(sender))
        }
        outputs.append(.setTimer(.timeout(sender), after: peers[index].timeout))
    }
}
