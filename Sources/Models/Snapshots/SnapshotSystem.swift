import Automata
import GlobalSnapshot
import ModelChecking

/// One snapshot of processes that pass single tokens, by a production core, in every order in which things may
/// happen. For Chandy and Lamport's core it is the model of the TLA+ module CLSnap.
struct SnapshotSystem: Sendable {
    enum Topology: String, Hashable, Sendable, CaseIterable {
        /// A channel from every process to every other.
        case complete
        /// A channel from every process to the next.
        case ring
    }

    var topology = Topology.complete
    /// By process, from p1 on.
    var tokens: [UInt64] = [1, 0]
    /// Numbers of processes.
    var initiators: [Int] = [1]
    /// Tokens that a process may send; `nil` for any number.
    var passes: Int?
    var network = SystemOptions.Network.fifo
    /// Whether infinite runs are looked at too: where every channel delivers, a snapshot that is started ends.
    var looksAtRuns = false
    var flaw: SnapshotFlaw?

    private var channels: SnapshotTopology {
        let processes = tokens.indices.map { ProcessID(UInt64($0) + 1) }
        return topology == .ring ? .ring(processes) : .complete(processes)
    }

    func model<Core: CheckedSnapshotCore>(_: Core.Type) -> ProcessSystem<SnapshotProcess<Core>> {
        let channels = channels
        let processes = tokens.enumerated().map { index, tokens in
            let process = channels.processes[index]
            let settings = SnapshotSettings(process: process, topology: channels, collection: .byHost)
            return (
                process,
                SnapshotProcess<Core>(
                    settings, tokens: tokens, isInitiator: initiators.contains(index + 1), passes: passes,
                    flaw: flaw)
            )
        }
        var options = SystemOptions()
        options.network = network
        var words = SystemWords<SnapshotProcess<Core>>()
        words.message = { Core.words($0) }
        words.request = { request in
            switch request {
            case .start: "starts the snapshot"
            case .pass(let receiver): "sends a token to \(receiver)"
            case .sendMarkers: "sends its markers"
            }
        }
        words.process = { "\($0.tokens) held, \(Core.words($0.projection))" }
        let fairness = channels.channels.map { channel in
            Fairness<SystemAction>.delivery(
                from: Int(channel.from.rawValue) - 1, to: Int(channel.to.rawValue) - 1)
        }
        return ProcessSystem(
            processes, options, properties: properties(Core.self, channels), fairness: fairness, words: words)
    }

    private func ending<Core: CheckedSnapshotCore>(
        _: Core.Type, _ channels: SnapshotTopology
    ) -> SystemProperty<SnapshotProcess<Core>> {
        let flaw = flaw
        return .leadsTo("ends") { view in
            view.processes.indices.contains { index in
                let process = view.process(at: index)
                return process.core.hasRecorded(process.reports)
            }
        } to: {
            Self.recorded($0, channels, flaw) != nil
        }
    }

    private func properties<Core: CheckedSnapshotCore>(
        _: Core.Type, _ channels: SnapshotTopology
    ) -> [SystemProperty<SnapshotProcess<Core>>] {
        let total = tokens.reduce(0, +)
        let flaw = flaw
        return [
            .always("conserved") { view in
                var sum = UInt64(0)
                for index in view.processes.indices { sum += view.process(at: index).tokens }
                view.forEachMessage { message, _, _ in if Core.holdsToken(message) { sum += 1 } }
                return sum == total
            },
            .always("consistent") { view in
                let recorded = Self.recorded(view, channels, flaw)
                return recorded == nil || recorded == total
            },
            .sometimes("complete") { Self.recorded($0, channels, flaw) != nil },
        ] + (looksAtRuns ? [ending(Core.self, channels)] : [])
    }

    /// The tokens in the snapshot once whoever collects takes it for complete.
    private static func recorded<Core: CheckedSnapshotCore>(
        _ view: SystemView<SnapshotProcess<Core>>, _ channels: SnapshotTopology, _ flaw: SnapshotFlaw?
    ) -> UInt64? {
        if flaw == .noMarkers || flaw == .noChannels {
            var sum = UInt64(0)
            for index in view.processes.indices {
                guard let tokens = view.process(at: index).recordedTokens else { return nil }
                sum += tokens
            }
            return sum
        }
        var assembly = SnapshotAssembly(Core.checkedID, topology: channels)
        for index in view.processes.indices {
            let reports = view.process(at: index).reports
            // Nothing is complete without a piece of each.
            if reports.isEmpty { return nil }
            for report in reports { _ = assembly.take(flaw == .whiteCounts ? withoutCounts(report) : report) }
        }
        guard let snapshot = assembly.snapshot(completedAt: .zero) else { return nil }
        let held = snapshot.states.reduce(UInt64(0)) { $0 + (UInt64($1.state.description) ?? 0) }
        return held + UInt64(snapshot.messages.count)
    }

    /// The late messages that are in by then are a part of the piece of whoever received them.
    private static func withoutCounts(_ report: SnapshotReport) -> SnapshotReport {
        var report = report
        if case .piece(var piece) = report.content {
            piece.whiteSent = []
            piece.whiteReceived = []
            report.content = .piece(piece)
        }
        return report
    }
}
