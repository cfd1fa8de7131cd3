import Automata
import GroupCommunication
import Multicast

// MARK: The promises

extension GroupRun {
    /// What was broken, in a sentence; nil when every promise was kept.
    var violation: String? {
        for process in processes {
            if let broken = brokenViews(process) ?? brokenIntegrity(process) { return broken }
            if kind.isCausal, let broken = brokenCauses(process) { return broken }
        }
        if let broken = brokenSynchrony { return broken }
        if kind.isTotal, let broken = brokenTotal { return broken }
        if tally.mostHeld > bound { return "\(tally.mostHeld) multicasts are held, more than \(bound)" }
        return unfinished
    }

    private func brokenViews(_ process: Process) -> String? {
        for (place, entry) in process.log.enumerated() {
            if !entry.view.contains(process.name) {
                return "\(process.name) installs \(entry.view), without itself"
            }
            if place > 0, entry.view.number != process.log[place - 1].view.number + 1 {
                return "\(process.name) goes from \(process.log[place - 1].view) to \(entry.view)"
            }
            for other in processes {
                if let same = other.log.first(where: { $0.view.number == entry.view.number }),
                    same.view != entry.view
                {
                    return "\(process.name) and \(other.name) disagree: \(entry.view) and \(same.view)"
                }
            }
        }
        return nil
    }

    private func brokenIntegrity(_ process: Process) -> String? {
        for entry in process.log {
            if Set(entry.delivered).count != entry.delivered.count {
                return "\(process.name) delivers one twice in view \(entry.view.number): \(entry.delivered)"
            }
            for sender in entry.view.members {
                let numbers = entry.delivered.filter { $0.sender == sender }.map(\.number)
                if numbers != Array(1..<UInt64(numbers.count + 1)) {
                    return "\(process.name) delivers \(sender)'s in the order \(numbers)"
                }
            }
            if let stray = entry.delivered.first(where: {
                causes[Name(view: entry.view.number, id: $0)] == nil
            }) {
                return "\(process.name) delivers \(stray), which nobody sent in view \(entry.view.number)"
            }
        }
        return nil
    }

    private func brokenCauses(_ process: Process) -> String? {
        for entry in process.log {
            var before: Set<MulticastID> = []
            for id in entry.delivered {
                let needed = causes[Name(view: entry.view.number, id: id)] ?? []
                if let cause = needed.first(where: { !before.contains($0) }) {
                    return "\(process.name) delivers \(id) before \(cause), which its sender had delivered"
                }
                before.insert(id)
            }
        }
        return nil
    }

    /// Whether the process ended the view together with those that went on: to the next, or by leaving.
    private func hasEnded(_ process: Process, _ place: Int) -> Bool {
        place + 1 < process.log.count || process.hasStopped == .left
    }

    /// Who ends a view together has delivered the same in it; with uniform streams nobody has delivered more.
    private var brokenSynchrony: String? {
        for process in processes {
            for (place, entry) in process.log.enumerated() where hasEnded(process, place) {
                for other in processes {
                    guard let at = other.log.firstIndex(where: { $0.view == entry.view }) else { continue }
                    let (mine, its) = (Set(entry.delivered), Set(other.log[at].delivered))
                    if hasEnded(other, at), mine != its {
                        return
                            "\(process.name) and \(other.name) end view \(entry.view.number) together, but "
                            + "only one of them delivered \(mine.symmetricDifference(its).sorted())"
                    }
                    if kind.isUniform, let more = its.subtracting(mine).min() {
                        return "\(other.name) delivers \(more) in view \(entry.view.number), and "
                            + "\(process.name), which goes on, does not"
                    }
                }
            }
        }
        return nil
    }

    /// Those that count deliver what they both deliver in the same order: with uniform streams all, otherwise those
    /// that end the view together, or are in it at the end.
    private var brokenTotal: String? {
        for process in processes {
            for (place, entry) in process.log.enumerated() where counts(process, place) {
                for other in processes {
                    guard let at = other.log.firstIndex(where: { $0.view == entry.view }), counts(other, at)
                    else {
                        continue
                    }
                    let common = Set(entry.delivered).intersection(other.log[at].delivered)
                    let (mine, its) = (
                        entry.delivered.filter(common.contains),
                        other.log[at].delivered.filter(common.contains)
                    )
                    if mine != its {
                        return
                            "\(process.name) and \(other.name) differ in view \(entry.view.number): \(mine) "
                            + "and \(its)"
                    }
                }
            }
        }
        return nil
    }

    private func counts(_ process: Process, _ place: Int) -> Bool {
        kind.isUniform || hasEnded(process, place) || process.isMember
    }

    /// In the end: one view of all that are there, in which everything has been delivered.
    private var unfinished: String? {
        let members = processes.filter { $0.isMember && !isStranded($0) }
        if let lonely = processes.first(where: {
            !$0.isCrashed && $0.hasStopped == nil && $0.core.member.view == nil
        }),
            !members.isEmpty
        {
            return "\(lonely.name) has not become a member"
        }
        guard let last = members.first?.log.last else {
            // Those that wanted to join once all had left wait in vain.
            let isOver = processes.allSatisfy { $0.isCrashed || $0.hasStopped != nil || $0.log.isEmpty }
            return isOver ? nil : "nobody is a member any more"
        }
        for process in members {
            guard let entry = process.log.last, entry.view == last.view else {
                return "\(process.name) is still in \(process.log.last?.view.description ?? "no view")"
            }
            if entry.view.members.sorted() != members.map(\.name).sorted() {
                return "\(entry.view) does not name those that are there"
            }
            if Set(entry.delivered) != Set(last.delivered) {
                return "\(process.name) and \(members[0].name) deliver different multicasts in the end"
            }
        }
        for (name, _) in causes where name.view == last.view.number {
            if members.contains(where: { $0.name == name.id.sender }), !last.delivered.contains(name.id) {
                return "\(name.id) is never delivered"
            }
        }
        return lost
    }

    /// Nobody whom it knows as a member is there any more to tell it how the group went on.
    private func isStranded(_ process: Process) -> Bool {
        guard let view = process.core.member.view, view.members.count > 1 else { return false }
        let others = processes.filter { $0.name != process.name && view.contains($0.name) }
        return others.allSatisfy { $0.isCrashed || $0.hasStopped == .excluded }
            && processes.contains { $0.log.last?.view.number ?? 0 > view.number }
    }

    /// What a sender multicast in a view that it ended together with others was delivered in it.
    private var lost: String? {
        for process in processes {
            for (place, entry) in process.log.enumerated() where hasEnded(process, place) {
                for (name, _) in causes where name.view == entry.view.number && name.id.sender == process.name
                {
                    if !entry.delivered.contains(name.id) {
                        return "\(process.name) goes on without having delivered its own \(name.id)"
                    }
                }
            }
        }
        return nil
    }
}
