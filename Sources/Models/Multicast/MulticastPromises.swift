import Automata
import ModelChecking
import Multicast

/// What a multicast promises (Hadzilacos and Toueg, TR 94-1425, 1994, section 3), as properties of a system.
struct MulticastPromises: Sendable {
    /// What one that stays delivers, all that stay deliver, also where some crash.
    let isReliable: Bool
    /// And so what anybody delivers.
    let isUniform: Bool
    let isFIFO: Bool
    let isCausal: Bool
    let isTotal: Bool

    /// Whether groups change, and so have views that those who end them together have seen alike.
    let hasViews: Bool

    static func properties<Member: StudiedMember>(
        _ promises: MulticastPromises, _ setting: MulticastSetting
    ) -> [SystemProperty<MulticastProcess<Member>>] {
        typealias View = SystemView<MulticastProcess<Member>>
        func always(
            _ name: String, if isPromised: Bool = true, _ holds: @escaping @Sendable (Group<Member>) -> Bool
        ) -> [SystemProperty<MulticastProcess<Member>>] {
            isPromised ? [.always(name) { holds(Group($0, setting)) }] : []
        }
        return always("integrity") { $0.hasIntegrity }
            + always("validity") { $0.isValid || !$0.isSettled }
            + always("virtual synchrony", if: promises.hasViews) {
                $0.isSynchronous(isUniform: promises.isUniform)
            }
            + always("agreement", if: promises.isReliable) { group in
                group.agrees(isUniform: promises.isUniform) || !group.isSettled
            }
            + [.sometimes("everything is delivered everywhere") { Group($0, setting).hasDeliveredAll }]
            + always("FIFO order", if: promises.isFIFO) { $0.isFIFO }
            + always("causal order", if: promises.isCausal) { $0.isCausal }
            + always("total order", if: promises.isTotal) { $0.isTotal(isUniform: promises.isUniform) }
    }

    /// What other kinds promise and this one does not.
    var missing: [String] {
        [
            ("virtual synchrony", hasViews), ("agreement", isReliable), ("uniformity", isUniform),
            ("FIFO order", isFIFO), ("causal order", isCausal), ("total order", isTotal),
        ].filter { !$0.1 }.map(\.0)
    }
}

/// What a run is like, whatever it is held against.
struct MulticastSetting: Sendable {
    /// Whether groups overlap, as `SkeenStudy` chooses them, so that not everything is for everybody.
    let hasOverlappingGroups: Bool
    /// Whether a multicast is delivered only once all for whom it is have answered, so that it waits for ever for one
    /// that has crashed.
    var waitsForCrashed: Bool { hasOverlappingGroups }
}

/// A state of the system, as promises look at it.
private struct Group<Member: StudiedMember> {
    typealias Process = MulticastProcess<Member>
    private let view: SystemView<Process>
    private let processes: [Process]
    private let setting: MulticastSetting

    init(_ view: SystemView<Process>, _ setting: MulticastSetting) {
        self.view = view
        self.setting = setting
        processes = view.processes.indices.map(view.process(at:))
    }

    private var staying: [Process] { processes.filter { !$0.isCrashed && !$0.hasStopped } }

    /// Whether the multicast is for the process: each of the groups that overlap lacks one.
    private func isFor(_ process: Process, _ id: MulticastID) -> Bool {
        guard setting.hasOverlappingGroups, id.number > 1 else { return true }
        let place = processes.firstIndex { $0.name == process.name } ?? 0
        return (Int(id.number) - 2) % processes.count != place
    }

    /// Of this process, for that one.
    private func multicasts(of sender: Process, in view: UInt64, for process: Process) -> [MulticastID] {
        (0..<UInt64(sender.multicasts.count { $0.view == view }))
            .map { MulticastID(sender: sender.name, number: $0 + 1) }.filter { isFor(process, $0) }
    }

    /// Nothing is delivered twice in a view, nor what was not sent or is for others.
    var hasIntegrity: Bool {
        processes.allSatisfy { process in
            process.log.allSatisfy { entry in
                Set(entry.delivered).count == entry.delivered.count
                    && entry.delivered.allSatisfy {
                        multicast($0, in: entry.view) != nil && isFor(process, $0)
                    }
            }
        }
    }

    /// By identifier, which counts within a view.
    private func multicast(_ id: MulticastID, in view: UInt64) -> Process.Multicast? {
        let sent = processes.first { $0.name == id.sender }?.multicasts.filter { $0.view == view } ?? []
        return id.number >= 1 && id.number <= sent.count ? sent[Int(id.number) - 1] : nil
    }

    var isFIFO: Bool {
        processes.allSatisfy { process in
            process.log.allSatisfy { entry in
                processes.allSatisfy { sender in
                    let its = entry.delivered.filter { $0.sender == sender.name }
                    return multicasts(of: sender, in: entry.view, for: process).starts(with: its)
                }
            }
        }
    }

    var isCausal: Bool {
        processes.allSatisfy { process in
            process.log.allSatisfy { entry in
                entry.delivered.indices.allSatisfy { place in
                    let causes = multicast(entry.delivered[place], in: entry.view)?.causes ?? []
                    return causes.allSatisfy {
                        !isFor(process, $0) || entry.delivered[..<place].contains($0)
                    }
                }
            }
        }
    }

    /// What two processes both deliver they deliver in the same order.
    func isTotal(isUniform: Bool) -> Bool {
        let counting = isUniform ? processes : staying
        return counting.allSatisfy { one in
            counting.allSatisfy { other in
                one.log.allSatisfy { entry in
                    guard let its = other.log.first(where: { $0.view == entry.view }) else { return true }
                    return entry.delivered.filter(its.delivered.contains)
                        == its.delivered.filter(entry.delivered.contains)
                }
            }
        }
    }

    /// Those that end a view together have delivered the same in it.
    func isSynchronous(isUniform: Bool) -> Bool {
        processes.allSatisfy { one in
            one.log.indices.allSatisfy { place in
                guard hasEnded(one, place) else { return true }
                let delivered = Set(one.log[place].delivered)
                return processes.allSatisfy { other in
                    guard let at = other.log.firstIndex(where: { $0.view == one.log[place].view }) else {
                        return true
                    }
                    let its = Set(other.log[at].delivered)
                    return hasEnded(other, at) ? its == delivered : !isUniform || its.isSubset(of: delivered)
                }
            }
        }
    }

    private func hasEnded(_ process: Process, _ place: Int) -> Bool {
        place + 1 < process.log.count || process.hasLeft
    }

    /// Whether all that stay have delivered what those that stay have multicast, where that is promised; asked once
    /// everything has come.
    var isValid: Bool {
        setting.waitsForCrashed && processes.contains(where: \.isCrashed) || hasDeliveredOfStaying
    }

    private var hasDeliveredOfStaying: Bool {
        staying.allSatisfy { sender in
            guard let view = sender.log.last?.view else { return true }
            return staying.allSatisfy { process in
                guard let entry = process.log.last, entry.view == view else { return true }
                return multicasts(of: sender, in: view, for: process).allSatisfy(entry.delivered.contains)
            }
        }
    }

    /// Whether those that stay have delivered the same, and what anybody has where that is promised; asked once
    /// everything has come.
    func agrees(isUniform: Bool) -> Bool {
        guard let last = staying.first?.log.last else { return true }
        let counting = isUniform ? processes : staying
        let ids = Set(counting.flatMap { $0.log.filter { $0.view == last.view }.flatMap(\.delivered) })
        return staying.allSatisfy { process in
            guard let entry = process.log.last, entry.view == last.view else { return false }
            return ids.allSatisfy { !isFor(process, $0) || entry.delivered.contains($0) }
        }
    }

    var hasDeliveredAll: Bool {
        guard processes.allSatisfy(\.hasMulticastAll), hasDeliveredOfStaying, agrees(isUniform: true)
        else { return false }
        return staying.allSatisfy { process in
            let forIt = processes.contains { sender in
                sender.multicasts.indices.contains {
                    isFor(process, MulticastID(sender: sender.name, number: UInt64($0) + 1))
                }
            }
            return !forIt || !process.delivered.isEmpty
        }
    }

    /// Everything that was sent by somebody that stays has come, and all that time would bring. What a process that
    /// crashed sent may have been lost.
    var isSettled: Bool {
        for (place, process) in processes.enumerated() where !process.isCrashed {
            if process.hasNewTick { return false }
            var isWaiting = false
            view.forEachMessage(to: place...place) { message, from, to in
                guard !isWaiting, !processes[from].isCrashed || message == .obituary else { return }
                var copy = process
                var outputs: [Process.Output] = []
                copy.step(.received(message, from: processes[from].name), at: .zero, into: &outputs)
                isWaiting = copy != process || !outputs.allSatisfy(isSent(from: place))
            }
            if isWaiting { return false }
        }
        return true
    }

    private func isSent(from sender: Int) -> (Process.Output) -> Bool {
        { output in
            guard case .send(let message, let receiver) = output else { return true }
            guard let place = processes.firstIndex(where: { $0.name == receiver }) else { return true }
            var isFound = false
            view.forEachMessage(to: place...place) { sent, from, _ in
                if from == sender, sent == message { isFound = true }
            }
            return isFound
        }
    }
}
