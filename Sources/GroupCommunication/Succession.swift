import Automata
import Multicast

/// What follows a view: on this value its members come to a consensus.
///
/// It carries what some members may lack of the view's multicasts, so that whoever learns it can end the view as all
/// others do, whoever crashes.
struct Succession: Hashable, Sendable {
    let next: View
    /// Who leaves, having had the same as those who go on. Other members that are not in the next view are excluded: what
    /// they have had is not known.
    let left: [ProcessID]
    /// What those who go on together have had in the view that ends.
    let holdings: Holdings

    /// What the members that reported have had, taken together. Everybody who reported goes on, but for those who leave.
    init(
        after view: View, reports: [(member: ProcessID, holdings: Holdings)], joining: [ProcessID],
        leaving: [ProcessID]
    ) {
        let reporting = view.members.filter { member in reports.contains { $0.member == member } }
        left = reporting.filter(leaving.contains)
        let staying = reporting.filter { !leaving.contains($0) }
        let senders = view.members.sorted()
        next = View(number: view.number + 1, members: staying + joining.filter { !staying.contains($0) })
        let counts = senders.indices.map { member in
            reports.map { $0.holdings.counts[member] }.max() ?? 0
        }
        // What all of them have needs not be carried.
        let least = senders.indices.map { member in
            reports.map { $0.holdings.counts[member] }.min() ?? 0
        }
        var held: [Holdings.Held] = []
        for one in reports.flatMap(\.holdings.held) {
            guard let member = senders.firstIndex(of: one.id.sender), one.id.number > least[member],
                !held.contains(where: { $0.id == one.id })
            else { continue }
            held.append(one)
        }
        holdings = Holdings(counts: counts, held: held.sorted { $0.id < $1.id })
    }

    private init(next: View, left: [ProcessID], holdings: Holdings) {
        self.next = next
        self.left = left
        self.holdings = holdings
    }

    var payload: Payload {
        var form = ByteForm()
        form.append(next.number)
        form.append(next.members) { $0.append($1) }
        form.append(left) { $0.append($1) }
        form.append(holdings.counts) { $0.append($1) }
        form.append(holdings.held) {
            $0.append($1.id)
            $0.append($1.payload)
        }
        return Payload(form.bytes)
    }

    /// Nil when the bytes are no succession.
    init?(_ payload: Payload) {
        guard let read = payload.read({ try Succession(&$0) }) else { return nil }
        self = read
    }

    private init(_ reader: inout ByteFormReader) throws {
        let number = try reader.word()
        let members = try reader.list { try $0.process() }
        let left = try reader.list { try $0.process() }
        let counts = try reader.list { try $0.word() }
        let held = try reader.list { Holdings.Held(id: try $0.id(), payload: try $0.payload()) }
        try reader.end()
        guard number < .max, Set(members).count == members.count else { throw ByteFormError.malformed }
        self.init(
            next: View(number: number, members: members), left: left,
            holdings: Holdings(counts: counts, held: held))
    }
}
