import Automata
import Paxos
import Replica
import Synchronization
import WriteAheadLog

/// What this process knows of how its cluster began, for every thread that meets others: greetings carry it, and
/// questions about it are answered from here.
final class OwnFormation: Sendable {
    private struct State {
        var formation: Formation?
        var isRecording = false
    }

    /// `nil` in a directory that was made before disks had names.
    let disk: DiskID?
    private let state: Mutex<State>

    init(disk: DiskID?, formation: Formation?) {
        self.disk = disk
        state = Mutex(State(formation: formation))
    }

    /// Known, and durable.
    var known: Formation? { state.withLock { $0.isRecording ? nil : $0.formation } }

    /// From now on this process says no more that it knows of none.
    func beginRecording(_ formation: Formation) {
        state.withLock { $0 = State(formation: formation, isRecording: true) }
    }

    func endRecording() { state.withLock { $0.isRecording = false } }

    /// `nil` while there is nothing to be said for certain.
    func answer(to asking: DiskID) -> FormationMessage? {
        let state = state.withLock { $0 }
        return Founding.answer(
            to: asking, own: disk ?? DiskID(0), formation: state.formation, isRecording: state.isRecording)
    }
}

extension DataDirectory.Formation {
    init(_ formation: Formation) {
        self.init(
            nonce: formation.nonce,
            founders: formation.founders.map { .init(member: $0.process.rawValue, disk: $0.disk.rawValue) })
    }
}

extension Formation {
    init(_ recorded: DataDirectory.Formation) {
        self.init(
            nonce: recorded.nonce,
            founders: recorded.founders.map { .init(ProcessID($0.member), DiskID($0.disk)) })
    }

    /// Of every cluster that was formed before formations were written down.
    static let unrecorded = Formation(nonce: 0, founders: [])
}
