import Automata
import Paxos

@testable import Replica

/// Everything that can happen while three first members find out how their cluster began: messages that were sent
/// arrive at any time, any number of times or never; a process crashes; a member loses its disk.
struct FormationModel {
    struct Member: Hashable {
        var disk: DiskID
        /// Of the first member, which alone draws nonces that matter.
        var starts: UInt64 = 0
        /// On the disk.
        var recorded: Formation?
        /// `nil` while it is down.
        var process: Founding?
    }

    struct Letter: Hashable {
        let sender: Int
        let receiver: Int
        let message: FormationMessage
    }

    struct State: Hashable {
        var members: [Member]
        var sent: Set<Letter> = []
        var crashes = 0
        var wipes = 0
        /// Formations that two members held at the same time, each on the disk that it names: these have chosen.
        var quorate: Set<UInt64> = []
    }

    /// A voter of a formation is whoever holds it on a disk that it names; taken out, whoever holds it.
    var namesDisks = true
    /// An answer is for the disk that asked; taken out, for whatever disk its receiver has now.
    var bindsAnswers = true
    /// Taken out, the cluster is formed by two of three.
    var waitsForAll = true

    let ids = (1...3).map { ProcessID($0) }
    let crashLimit: Int
    let wipeLimit: Int

    func initial() -> State {
        var state = State(members: ids.map { Member(disk: DiskID(10 * $0.rawValue)) })
        for index in ids.indices { start(index, &state) }
        return state
    }

    private func start(_ index: Int, _ state: inout State) {
        if index == 0 { state.members[0].starts += 1 }
        let settings = Founding.Settings(
            process: ids[index], disk: state.members[index].disk, members: ids,
            nonce: state.members[index].starts)
        state.members[index].process = Founding(
            settings: settings, formation: state.members[index].recorded)
        step(.start, index, &state)
    }

    private func step(_ input: Founding.Input, _ index: Int, _ state: inout State) {
        var outputs: [Founding.Output] = []
        state.members[index].process?.step(input, at: .zero, into: &outputs)
        for case .send(let message, let receiver) in outputs {
            let letter = Letter(sender: index, receiver: ids.firstIndex(of: receiver)!, message: message)
            // Only the first member does anything with the word that another knows of none.
            if case .empty = message, letter.receiver != 0 { continue }
            state.sent.insert(letter)
        }
    }

    func successors(of state: State) -> [State] {
        var next: [State] = []
        func add(_ change: (inout State) -> Void) {
            var other = state
            change(&other)
            noteQuorums(&other)
            if other != state { next.append(other) }
        }
        for letter in state.sent where state.members[letter.receiver].process != nil {
            add { receive(letter, &$0) }
        }
        for index in ids.indices {
            guard let process = state.members[index].process else {
                add { start(index, &$0) }
                continue
            }
            if process.isRecording {
                add {
                    $0.members[index].recorded = process.formation
                    step(.recorded, index, &$0)
                }
                // The process ends between the disk and its knowing so.
                if state.crashes < crashLimit {
                    add {
                        $0.members[index].recorded = process.formation
                        $0.members[index].process = nil
                        $0.crashes += 1
                    }
                }
            }
            if state.crashes < crashLimit {
                add {
                    $0.members[index].process = nil
                    $0.crashes += 1
                }
            }
            if state.wipes < wipeLimit {
                add {
                    let disk = DiskID($0.members[index].disk.rawValue + 1)
                    $0.members[index] = Member(disk: disk, starts: $0.members[index].starts)
                    $0.wipes += 1
                }
            }
        }
        return next
    }

    private func receive(_ letter: Letter, _ state: inout State) {
        var message = letter.message
        let disk = state.members[letter.receiver].disk
        if !bindsAnswers {
            switch message {
            case .question: break
            case .empty(let own, _): message = .empty(disk: own, asking: disk)
            case .formed(let formation, _): message = .formed(formation, asking: disk)
            }
        }
        step(.received(message, from: ids[letter.sender]), letter.receiver, &state)
        if !waitsForAll, letter.receiver == 0, case .empty(let other, _) = message {
            // As if the third had said so too.
            let third = ids[letter.sender == 1 ? 2 : 1]
            step(
                .received(.empty(disk: DiskID(1_000 + other.rawValue), asking: disk), from: third), 0, &state)
        }
    }

    /// How many members hold this formation now, and may vote in it.
    func holders(of nonce: UInt64, in state: State) -> Int {
        ids.indices.count { index in
            let member = state.members[index]
            guard let formation = member.recorded, formation.nonce == nonce else { return false }
            return !namesDisks || formation.isFounder(ids[index], member.disk)
        }
    }

    private func noteQuorums(_ state: inout State) {
        for nonce in Set(state.members.compactMap { $0.recorded?.nonce })
        where holders(of: nonce, in: state) >= 2 { state.quorate.insert(nonce) }
    }

    /// Visits every state; returns how many there are, and the first in which something is wrong.
    func explore(_ isWrong: (State) -> Bool) -> (states: Int, wrong: State?) {
        let first = initial()
        var seen: Set<State> = [first]
        var queue = [first]
        var head = 0
        while head < queue.count {
            let state = queue[head]
            head += 1
            if isWrong(state) { return (seen.count, state) }
            for next in successors(of: state) where seen.insert(next).inserted { queue.append(next) }
        }
        return (seen.count, nil)
    }

    /// Whether the cluster comes to have a formation with a quorum once everybody is there and what is sent
    /// arrives, and nothing that was sent before.
    func heals(from state: State) -> Bool {
        var state = state
        for index in ids.indices where state.members[index].process == nil { start(index, &state) }
        for _ in 0..<12 {
            state.sent = []
            for index in ids.indices {
                if state.members[index].process!.isRecording {
                    state.members[index].recorded = state.members[index].process!.formation
                    step(.recorded, index, &state)
                }
                step(.timerFired, index, &state)
            }
            for _ in 0..<2 {
                let letters = state.sent.sorted { ($0.receiver, $0.sender) < ($1.receiver, $1.sender) }
                state.sent = []
                for letter in letters { receive(letter, &state) }
            }
            noteQuorums(&state)
        }
        return state.members.contains { member in
            member.recorded.map { holders(of: $0.nonce, in: state) >= 2 } ?? false
        }
    }
}
