/// The reads of this process's clients while another leads.
struct ForwardedReads: Hashable, Sendable {
    /// Came after the last request was sent.
    var waiting: [ReadID] = []
    /// The last request stands for these.
    private(set) var asked: [ReadID] = []
    /// Of the last request.
    private(set) var number: UInt64 = 0

    var count: Int { waiting.count + asked.count }
    var isEmpty: Bool { waiting.isEmpty && asked.isEmpty }

    /// The number of the request to send: that of the one which is not answered, for the reads that it
    /// stands for, or else of a new one for all that wait. A request that is sent again keeps its number, so
    /// that an answer counts however long it takes.
    mutating func ask() -> UInt64 {
        guard asked.isEmpty else { return number }
        swap(&asked, &waiting)
        number += 1
        return number
    }

    mutating func takeAsked() -> [ReadID] {
        defer { asked = [] }
        return asked
    }

    mutating func takeAll() -> [ReadID] {
        defer {
            asked = []
            waiting = []
        }
        return asked + waiting
    }
}
