import Automata
import Paxos

/// How far a leader is with one of the processes that receive its entries.
struct Peer: Hashable, Sendable {
    let process: ProcessID
    /// The next slot to send.
    var next: Slot
    /// Messages that are sent and not answered, in ascending order of slots.
    var unanswered: [Sent] = []
    /// Of these messages, together.
    var unansweredBytes = 0
    var pace: Pace
    /// Heartbeats since it became a peer.
    var pulses: UInt64 = 0
    /// One message at a time until it is answered: it is not known what the process has.
    var isProbing: Bool
    /// The highest chosen slot that it was told of.
    var told: Slot = .zero
    /// Something that its clients proposed was chosen since.
    var isWaiting = false
    /// What it said last that it has accepted at this ballot, perhaps not durably; `nil` before it spoke.
    var accepted: Slot?
    var chosenUpTo: Slot = .zero
    var answeredRound: UInt64 = 0
    /// What it said last about itself; `nil` before it spoke.
    var standing: ReplicaMessage.Standing?
    /// What it has accepted without its acceptances counting.
    var followedUpTo: Slot = .zero
    /// What it had reached at the last heartbeat.
    var reachedAtPulse: Slot?
    /// A checkpoint is not sent because of what it said in answer to rounds up to this one.
    var checkpointRound: UInt64 = 0
    /// No member any more; it is told so for a while.
    var pulsesUntilGone: UInt64?

    struct Sent: Hashable, Sendable {
        /// The last slot of the message.
        let last: Slot
        let bytes: Int
        /// The heartbeat at which it left.
        let pulse: UInt64
    }

    init(_ process: ProcessID, next: Slot, isProbing: Bool, pace: Pace) {
        self.process = process
        self.next = next
        self.isProbing = isProbing
        self.pace = pace
    }

    mutating func rewind(to slot: Slot) {
        next = slot
        unanswered.removeAll(keepingCapacity: true)
        unansweredBytes = 0
        isProbing = true
    }
}

extension Peer {
    mutating func noteSent(_ count: Int, _ bytes: Int, told chosen: Slot) {
        next = next.advanced(by: count)
        unanswered.append(Sent(last: Slot(next.rawValue - 1), bytes: bytes, pulse: pulses))
        unansweredBytes += bytes
        told = chosen
        isWaiting = false
    }

    mutating func noteAccepted(_ upTo: Slot) {
        noteAnswered(upTo)
        accepted = max(accepted ?? .zero, upTo)
        next = max(next, upTo.next)
        isProbing = false
    }

    /// The messages up to this slot need no answer any more.
    private mutating func noteAnswered(_ upTo: Slot) {
        let count = unanswered.firstIndex { $0.last > upTo } ?? unanswered.count
        for sent in unanswered.prefix(count) {
            unansweredBytes -= sent.bytes
            // Of something that was sent twice nobody knows which copy is answered.
            if !isProbing { pace.noteAnswer(sent.bytes, age: pulses - sent.pulse, at: pulses) }
        }
        unanswered.removeFirst(count)
    }

    /// At every heartbeat: a process that has not got anywhere for longer than its answers take, though it was
    /// sent something, is sent it again.
    mutating func noteStall(confirmed: Slot) {
        // A copy of what the process had confirmed before needs no answer, and must not close the window.
        noteAnswered(confirmed)
        // Neither is enough by itself: after a restart a process may know of less than it has confirmed, and
        // the confirmation of what it says to have accepted may have been lost.
        let reached = min(accepted ?? confirmed, confirmed)
        if reached.next < next, reached == reachedAtPulse {
            if pace.noteStall() {
                // When it has everything, only its answer is missing, and any copy brings that.
                let start = (accepted ?? confirmed).next
                rewind(to: start < next ? start : Slot(next.rawValue - 1))
            }
        } else if reached != reachedAtPulse {
            pace.noteProgress()
        }
        reachedAtPulse = reached
        pulses += 1
        if let pulses = pulsesUntilGone { pulsesUntilGone = pulses - 1 }
    }
}
