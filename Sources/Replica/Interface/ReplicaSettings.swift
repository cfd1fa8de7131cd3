import Automata
import Paxos

extension Replica {
    public struct Settings: Hashable, Sendable {
        public var process: ProcessID
        /// Of the directory in which this process remembers; `nil` where disks have no names.
        public var disk: DiskID? = nil
        /// A process that remembers nothing counts its lives from here, so that no answer to an earlier life on a disk
        /// that was lost is taken for one to it, and nobody who remembers that life takes it for a copy. From a
        /// clock, for example; it must only grow from one disk to the next.
        public var incarnationFloor: UInt64 = 0
        public var heartbeatInterval: TimeSpan = .milliseconds(100)
        /// A process that hears from no leader for this long, or up to twice as long, stands for election.
        public var electionTimeout: TimeSpan = .milliseconds(1000)
        /// Proposed and not yet chosen, at the leader; past it proposals are refused as `.busy`.
        public var entriesInFlightLimit = 16_384
        public var bytesInFlightLimit = 64 << 20
        /// Chosen and not yet applied at the leader; past it proposals are refused as `.busy`.
        public var unappliedEntriesLimit = 65_536
        /// Of one phase 2a or catch-up message; a single larger entry travels alone.
        public var batchBytesLimit = 1 << 20
        /// Phase 2a messages that a follower has not answered; past it entries wait and travel together.
        public var messagesInFlightLimit = 16
        /// Reads that wait at one process; past it they are refused as `.busy`.
        public var waitingReadsLimit = 65_536
        /// Entries kept behind the stored slot for members that lag.
        public var catchUpEntries = 5_000
        public var catchUpBytes = 16 << 20
        /// A learner is promoted only when it lags by no more entries than this.
        public var promotionLagLimit = 1_000
        /// Lease reads: the largest relative error between the clock rates of two processes, in parts per
        /// million. `nil` leaves them off, and every read takes a quorum round.
        ///
        /// With it, a leader answers reads without a round until T·(1 − drift) after it *sent* the last
        /// heartbeat that a phase-2 quorum answered, T being the election timeout. Every process of that
        /// quorum refuses to promise any ballot until T after it *received* the heartbeat, on its own clock
        /// (and until T after it started, as it may have forgotten one). So no other process can lead within
        /// the lease as long as, over any span of length T, the clocks of two processes of the cluster
        /// advance by amounts that differ by at most T·drift, with all processes set to the same election
        /// timeout. Only clock rates matter; the clocks need not agree.
        public var leaseReadsClockDriftPPM: UInt64? = nil

        public init(process: ProcessID) { self.process = process }
    }
}
