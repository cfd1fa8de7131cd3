import Automata
import Glibc
import GlobalSnapshot

/// Five processes pass three tokens around a ring, and nobody ever holds them up. Two processes take
/// snapshots again and again, also at the same time; in each of them three tokens are there.
@main struct TokenRing {
    static func main() async {
        let ring = SnapshotTopology.ring((1...5).map { ProcessID($0) })
        var processes: [ProcessID: RingProcess] = [:]
        var channels: [(from: ProcessID, to: ProcessID, messages: AsyncStream<ChandyLamport.Message>)] = []
        for id in ring.processes {
            let (messages, channel) = AsyncStream.makeStream(of: ChandyLamport.Message.self)
            channels.append((id, ring.destinations(of: id)[0], messages))
            processes[id] = RingProcess(id, in: ring, channel: channel)
        }
        for (from, to, messages) in channels {
            guard let receiver = processes[to] else { continue }
            Task { for await message in messages { await receiver.receive(message, from: from) } }
        }
        for id in ring.processes.prefix(3) { await processes[id]?.take() }

        guard let first = processes[ProcessID(2)], let second = processes[ProcessID(4)] else { return }
        for _ in 1...5 {
            async let one = first.snapshot()
            async let other = second.snapshot()
            for snapshot in await [one, other] {
                guard let snapshot, tell(snapshot) == 3 else {
                    print("Tokens were lost or counted twice!")
                    exit(1)
                }
            }
        }
        print("In every snapshot three tokens are there.")
    }

    /// Prints where the tokens are, and returns how many there are.
    private static func tell(_ snapshot: RecordedSnapshot) -> Int {
        let held = snapshot.states.map { (process: $0.process, count: Int("\($0.state)") ?? 0) }
        let places =
            held.filter { $0.count > 0 }.map { "\($0.count) at \($0.process)" }
            + snapshot.messages.map { "1 on its way \($0.channel)" }
        print("\(snapshot.id): \(places.joined(separator: ", "))")
        return held.reduce(0) { $0 + $1.count } + snapshot.messages.count
    }
}
