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

    static func properties<Member: StudiedMember>(
        _ promises: MulticastPromises
    ) -> [SystemProperty<MulticastProcess<Member>>] {
        typealias View = SystemView<MulticastProcess<Member>>
        var properties: [SystemProperty<MulticastProcess<Member>>] = [
            .always("integrity") { Group($0).hasIntegrity },
            .always("virtual synchrony") { Group($0).isSynchronous(isUniform: promises.isUniform) },
            .always("agreement") { view in
                let group = Group(view)
                return group.agrees(promises) || !group.isSettled
            },
            .sometimes("everything is delivered everywhere") { Group($0).hasDeliveredAll },
        ]
        if promises.isFIFO { properties.append(.always("FIFO order") { Group($0).isFIFO }) }
        if promises.isCausal { properties.append(.always("causal order") { Group($0).isCausal }) }
        if promises.isTotal {
            properties.append(.always("total order") { Group($0).isTotal(isUniform: promises.isUniform) })
        }
        return properties
    }
}

/// A state of the system, as promises look at it.
private struct Group<Member: StudiedMember> {
    typealias Process = MulticastProcess<Member>
    private let view: SystemView<Process>
    private let processes: [Process]

    init(_ view: SystemView<Process>) {
        self.view = view
        processes = view.processes.indices.map(view.process(at:))
    }

    private var staying: [Process] { processes.filter { !$0.isCrashed && !$0.hasStopped } }

    /// Nothing is delivered twice in a view, nor what was not sent.
    var hasIntegrity: Bool {
        processes.allSatisfy { process in
            process.log.allSatisfy { entry in
                Set(entry.delivered).count == entry.delivered.count
                    && entry.delivered.allSatisfy { multicast($0, in: entry.view) != nil }
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
                    let numbers = entry.delivered.filter { $0.sender == sender.name }.map(\.number)
                    return zip(numbers, 1...).allSatisfy { $0 == $1 }
                }
            }
        }
    }

    var isCausal: Bool {
        processes.allSatisfy { process in
            process.log.allSatisfy { entry in
                entry.delivered.indices.allSatisfy { place in
                    let causes = multicast(entry.delivered[place], in: entry.view)?.causes ?? []
                    return causes.allSatisfy { entry.delivered[..<place].contains($0) }
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

    /// Whether those that stay have delivered the same, and what else is promised; asked once everything has come.
    func agrees(_ promises: MulticastPromises) -> Bool {
        let crashed = processes.contains(where: \.isCrashed)
        guard promises.isReliable || !crashed, let last = staying.first?.log.last else { return true }
        guard promises.isTotal, !promises.isFIFO else {
            return staying.allSatisfy { process in
                guard let entry = process.log.last, entry.view == last.view else { return false }
                let delivered = Set(entry.delivered)
                let own = UInt64(process.multicasts.count { $0.view == entry.view })
                return delivered == Set(last.delivered)
                    && delivered.count { $0.sender == process.name } == own
                    && (!promises.isUniform || others(in: entry.view).isSubset(of: delivered))
            }
        }
        // To several groups: each receives what is for it.
        return staying.allSatisfy { $0.delivered.count == expected(of: $0) }
    }

    private func others(in view: UInt64) -> Set<MulticastID> {
        Set(processes.flatMap { $0.log.filter { $0.view == view }.flatMap(\.delivered) })
    }

    /// As `SkeenStudy` chooses groups, each of which lacks one process.
    private func expected(of process: Process) -> Int {
        let place = processes.firstIndex { $0.name == process.name } ?? 0
        return processes.reduce(0) { sum, sender in
            sum + sender.multicasts.indices.count { $0 == 0 || ($0 - 1) % processes.count != place }
        }
    }

    var hasDeliveredAll: Bool {
        processes.allSatisfy { $0.requests.contains(.multicast) == false }
            && processes[0].multicasts.count > 0
            && agrees(
                MulticastPromises(
                    isReliable: true, isUniform: true, isFIFO: true, isCausal: true, isTotal: true))
            && staying.allSatisfy { !$0.delivered.isEmpty }
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
