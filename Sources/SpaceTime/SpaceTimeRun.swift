/// A run to look at: what happened at each process, in one order that the run really took, and the messages between.
///
/// The name is Lamport's (Time, Clocks, and the Ordering of Events in a Distributed System, CACM 21(7), 1978): a
/// diagram with a line for each process.
public struct SpaceTimeRun: Hashable, Sendable {
    public struct Message: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable {
            /// Of the application that is watched.
            case application
            /// Of a snapshot.
            case marker
            /// Of the protocol.
            case control
        }

        public let from: Int
        public let to: Int
        public let kind: Kind
        public let label: String
        /// The events at both ends; nil where it did not arrive within the run.
        public let sentBy: Int
        public internal(set) var receivedBy: Int?
    }

    /// Something to show beside the diagram while an event is the current one.
    public struct Detail: Hashable, Sendable {
        public let title: String
        public let lines: [String]

        public init(_ title: String, _ lines: [String]) {
            self.title = title
            self.lines = lines
        }
    }

    public struct Event: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable {
            case step
            /// Something that the run is about: a state recorded, a value delivered or decided.
            case milestone
            case crash
            /// A promise is broken here.
            case violation
        }

        /// Of a decision, as far as it is settled once the event has happened.
        public enum Outlook: String, Hashable, Sendable {
            case open, zero, one
        }

        public let process: Int
        public let kind: Kind
        /// What it means, for people.
        public let sentence: String
        /// The process's state after it.
        public let state: String
        public let details: [Detail]
        /// Nil where the run is about something else.
        public let outlook: Outlook?
        /// By index in `messages`.
        public let received: Int?
        public let sent: [Int]
        /// How many events of each process happened before it or are it.
        public let clock: [Int]
    }

    /// For each process, how many of its events lie before the cut.
    public struct Cut: Hashable, Sendable {
        public let name: String
        public let events: [Int]
        public let note: String
        /// Messages, by index, that were sent before the cut and not received before it.
        public let underWay: [Int]
        /// Messages, by index, that were received before the cut and not sent before it: effects without their cause.
        public let uncaused: [Int]

        public var isConsistent: Bool { uncaused.isEmpty }
    }

    public let title: String
    /// What is typed to see the run again.
    public var command: String?
    /// Whether what the run is to show was kept; nil where it promises nothing.
    public var isKept: Bool?
    public let processes: [String]
    /// Said of the run as a whole, when it is over.
    public internal(set) var summary: [String] = []
    public internal(set) var events: [Event] = []
    public internal(set) var messages: [Message] = []
    public internal(set) var cuts: [Cut] = []

    init(title: String, processes: [String]) {
        self.title = title
        self.processes = processes
    }

    /// Whether one event happened before the other (or is it).
    public func isBefore(_ earlier: Int, _ later: Int) -> Bool {
        let process = events[earlier].process
        return events[earlier].clock[process] <= events[later].clock[process]
    }
}
