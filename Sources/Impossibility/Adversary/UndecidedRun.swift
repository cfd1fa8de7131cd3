import Paxos

/// A run of the scheduler that keeps Paxos undecided, delivery by delivery, to watch.
public struct UndecidedRun {
    public struct Sent {
        public let number: Int
        public let to: Int
        public let label: String
    }

    public struct Delivery {
        public let process: Int
        /// The number of the message that was delivered; nil where the process began.
        public let received: Int?
        public let sentence: String
        public let sent: [Sent]
        public let state: String
        public let decides: Bool
        /// What a quorum has accepted at one ballot by then, which is the only thing that can still be decided; nil
        /// while there is no such value.
        public let settledOn: Bool?
    }

    public private(set) var deliveries: [Delivery] = []
    /// What the scheduler counted.
    public let lines: [String]
    /// Undecided for so long, safe, and decided afterwards where that was asked for.
    public let isAsClaimed: Bool

    public init(processes: Int, deliveries count: Int, seed: UInt64, omega: Bool) {
        let report = AdversaryReport(
            processes: processes, deliveries: count, seed: seed, omega: omega, watches: true)
        lines = report.lines
        isAsClaimed = report.stayedUndecided && report.isSafe && (!omega || report.decidedAt != nil)
        deliveries = report.watched
    }
}
