import Automata
import GroupCommunication
import ModelChecking
import Multicast

/// The production's multicasts: every order in which what was sent may come, come again, or be lost with the process
/// that sent it and crashed.
struct MulticastSystem: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case bestEffort = "best-effort"
        case flooding
        case uniformFlooding = "uniform-flooding"
        case reliable, uniform, causal
        case views
        case viewsUniform = "views-uniform"
        case viewsCausal = "views-causal"
        case sequencer
        case sequencerUniform = "sequencer-uniform"
        case agreed
        case agreedUniform = "agreed-uniform"
        case skeen
    }

    enum Flaw: String, CaseIterable, Sendable {
        /// A process does not remember what it has delivered.
        case forgets
        /// Only its sender sends a multicast again.
        case onlySenderRepeats = "only-sender-repeats"
        /// The next view begins without what the others have had.
        case skipsFlush = "skips-flush"
        /// Whoever takes over from a sequencer orders again what it had ordered.
        case ordersAgain = "orders-again"

        /// Those that have the rule which is left out.
        var kinds: [Kind] {
            switch self {
            case .forgets: [.bestEffort, .flooding, .uniformFlooding]
            case .onlySenderRepeats: [.reliable, .uniform]
            case .skipsFlush:
                [.views, .viewsUniform, .viewsCausal, .sequencer, .sequencerUniform, .agreed, .agreedUniform]
            case .ordersAgain: [.sequencer, .sequencerUniform]
            }
        }
    }

    var kind = Kind.reliable
    /// By process.
    var multicasts = [2, 0, 0]
    /// The process that may crash, from 1.
    var crash: Int?
    /// Whom process 1 may suspect without reason, from 1.
    var suspicion: Int?
    var flaw: Flaw?
    /// What a process does from time to time it does while nothing is on its way to it.
    var hasSlowTime = false
    /// What the run is held against, where that is not what the kind promises.
    var promises: Kind?

    private var names: [ProcessID] { multicasts.indices.map { ProcessID(UInt64($0) + 1) } }

    /// What a majority has becomes known by what is said from time to time.
    private var isUniformByDigests: Bool { kind.promises.isUniform && kind != .uniformFlooding }

    func check(_ name: String, _ values: ParameterValues) -> CheckableModel {
        switch kind {
        case .reliable, .uniform:
            study(name, values) {
                StaticStudy(
                    ReliableMulticast(
                        process: $0, group: names, guarantee: kind == .uniform ? .uniform : .reliable),
                    of: $0, flaw)
            }
        case .causal: study(name, values) { StaticStudy(CausalMulticast(process: $0, group: names), of: $0) }
        case .bestEffort, .flooding, .uniformFlooding:
            study(name, values) {
                StaticStudy(
                    FloodingMulticast(process: $0, group: names, guarantee: kind.flooding), of: $0, flaw)
            }
        case .views, .viewsUniform, .viewsCausal, .sequencer, .sequencerUniform, .agreed, .agreedUniform:
            study(name, values) {
                let settings = GroupMember.Settings(
                    order: kind.order, guarantee: kind.promises.isUniform ? .uniform : .reliable)
                return ViewStudy(
                    GroupMember(
                        process: $0, founders: names, settings: settings, flaw: flaw.flatMap(\.inViews)))
            }
        case .skeen:
            study(name, values) {
                // Each group lacks one process.
                let groups = names.map { absent in names.filter { $0 != absent } }
                return SkeenStudy(SkeenMulticast(process: $0, groups: groups))
            }
        }
    }

    private func study<Member: StudiedMember>(
        _ name: String, _ values: ParameterValues, _ member: (ProcessID) -> Member
    ) -> CheckableModel {
        var options = SystemOptions()
        options.network = .everSent
        options.durability = .withStep
        let names = names
        let promises = (promises ?? kind).promises
        let processes = names.enumerated().map { index, name in
            let suspects = index == 0 ? suspicion.map { [names[$0 - 1]] } ?? [] : []
            let process = MulticastProcess(
                member(name), name, others: names.filter { $0 != name }, multicasts: multicasts[index],
                mayCrash: crash == index + 1, maySuspect: suspects,
                ticking: !isUniformByDigests ? .afterCrash : hasSlowTime ? .whenDrained : .always)
            return (name, process)
        }
        var words = SystemWords<MulticastProcess<Member>>()
        words.request = { request in
            switch request {
            case .multicast: "multicasts its next"
            case .tick: "says what it says from time to time"
            case .crash: "crashes"
            case .suspect(let other): "suspects \(other)"
            }
        }
        words.process = { process in
            let log = process.log.map { entry in
                let view = entry.view > 0 ? "in view \(entry.view) " : ""
                return view + "delivered [\(entry.delivered.map(\.description).joined(separator: " "))]"
            }
            return log.joined(separator: ", ") + (process.isCrashed ? ", crashed" : "")
        }
        let setting = MulticastSetting(hasOverlappingGroups: kind == .skeen)
        let model = ProcessSystem(
            processes, options, properties: MulticastPromises.properties(promises, setting), words: words)
        return CheckableModel(model, name, values, notPromised: promises.missing)
    }
}

extension MulticastSystem.Flaw {
    var inViews: GroupMember.Flaw? {
        switch self {
        case .skipsFlush: .skipsFlush
        case .ordersAgain: .ordersAgain
        case .forgets, .onlySenderRepeats: nil
        }
    }
}

extension MulticastSystem.Kind {
    var flooding: FloodingMulticast.Guarantee {
        switch self {
        case .bestEffort: .bestEffort
        case .uniformFlooding: .uniform
        default: .reliable
        }
    }

    private var hasViews: Bool {
        switch self {
        case .views, .viewsUniform, .viewsCausal, .sequencer, .sequencerUniform, .agreed, .agreedUniform: true
        default: false
        }
    }

    var order: MulticastOrder {
        switch self {
        case .viewsCausal: .causal
        case .sequencer, .sequencerUniform: .sequencer
        case .agreed, .agreedUniform: .agreed
        default: .fifo
        }
    }

    var promises: MulticastPromises {
        let isUniform =
            switch self {
            case .uniform, .uniformFlooding, .viewsUniform, .sequencerUniform, .agreedUniform: true
            default: false
            }
        let isTotal = order == .sequencer || order == .agreed
        return MulticastPromises(
            isReliable: self != .bestEffort && self != .skeen, isUniform: isUniform, isFIFO: self != .skeen,
            isCausal: self == .causal || self == .viewsCausal || isTotal && isUniform,
            isTotal: isTotal || self == .skeen, hasViews: hasViews)
    }
}
