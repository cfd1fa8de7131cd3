import Automata
import Coordination

/// One client of a simulated member, with the watches that it has opened on its connection.
struct WatchingClient {
    struct Watch {
        /// No other watch of the run has it.
        let id: UInt64
        let specification: WatchSpecification
        /// The first revision that it was not told of; nil while it does not know from when on it watches.
        var next: Int64?
        /// Delivered and not consumed.
        var batches: [Int] = []
        /// The member has ended it; it is to be opened anew under another id.
        var isEnded = false
    }

    struct Question {
        let token: UInt64
        let watches: [UInt64]
        /// Nil: whatever it is by now.
        let revision: Int64?
    }

    var port: UInt64
    /// Where it is connected; nil when it lost its member.
    var process: ProcessID?
    var lastProcess: ProcessID
    let isSlow: Bool
    var watches: [Watch] = []
    var questions: [Question] = []

    func place(of id: UInt64) -> Int? { watches.firstIndex { $0.id == id } }
}
