import Automata
import GlobalSnapshot

/// What the TLA+ module CLSnap knows of a process beside its tokens: what it recorded, which channels to it are
/// being recorded, and how many tokens were recorded in each. What that leaves out of the production core, as
/// who started, bears on nothing else.
struct MarkerProjection: Hashable, Sendable {
    enum Stage: Hashable, Sendable { case idle, recording, done }

    struct Source: Hashable, Sendable {
        let process: ProcessID
        let stage: Stage
        let tokens: Int
    }

    /// Tokens; `nil` while the process has not recorded.
    let recorded: UInt64?
    let sources: [Source]
}

extension ChandyLamport: CheckedSnapshotCore {
    static var checkedID: SnapshotID { SnapshotID(initiator: ProcessID(1), sequence: 1) }

    func hasRecorded(_ reports: [SnapshotReport]) -> Bool { !recordingIDs.isEmpty || !reports.isEmpty }

    func projection(of process: ProcessID, _ reports: [SnapshotReport]) -> MarkerProjection {
        var piece: SnapshotPiece?
        if case .piece(let closed)? = reports.first?.content { piece = closed }
        let state = piece?.state ?? recordedState(for: Self.checkedID)
        let sources = topology.sources(of: process).map { source in
            let channel = ChannelID(from: source, to: process)
            let isOpen = isOpen(from: source, for: Self.checkedID)
            let closed = piece?.messages.count { $0.channel == channel }
            return MarkerProjection.Source(
                process: source, stage: state == nil ? .idle : isOpen ? .recording : .done,
                tokens: closed ?? recordedMessages(in: channel, for: Self.checkedID)?.count ?? 0)
        }
        return MarkerProjection(recorded: state.flatMap { UInt64($0.description) }, sources: sources)
    }

    static func holdsToken(_ message: Message) -> Bool {
        if case .application = message { true } else { false }
    }

    static func words(_ message: Message) -> String {
        switch message {
        case .application: "a token"
        case .marker: "the marker"
        case .report: "a report"
        }
    }

    static func words(_ projection: MarkerProjection) -> String {
        guard let recorded = projection.recorded else { return "nothing recorded" }
        let channels = projection.sources.map {
            "\($0.tokens) from \($0.process)\($0.stage == .recording ? " so far" : "")"
        }
        return (["recorded \(recorded)"] + channels).joined(separator: ", ")
    }
}

extension LaiYang: CheckedSnapshotCore {
    /// All of it: the counts of messages bear on what is recorded.
    struct Projection: Hashable, Sendable {
        let core: LaiYang
        let reports: [SnapshotReport]
    }

    static var checkedID: SnapshotID { .epoch(SnapshotEpoch(1)) }

    func hasRecorded(_ reports: [SnapshotReport]) -> Bool { epoch > .zero }

    func projection(of process: ProcessID, _ reports: [SnapshotReport]) -> Projection {
        Projection(core: self, reports: reports)
    }

    static func holdsToken(_ message: Message) -> Bool {
        if case .application = message { true } else { false }
    }

    static func words(_ message: Message) -> String {
        switch message {
        case .application(_, let epoch): epoch == .zero ? "a white token" : "a red token"
        case .colour: "the colour"
        case .report: "a report"
        }
    }

    static func words(_ projection: Projection) -> String {
        if projection.core.epoch == .zero { return "white" }
        let late = projection.reports.count {
            if case .late = $0.content { true } else { false }
        }
        let states = projection.reports.compactMap {
            if case .piece(let piece) = $0.content { piece.state } else { nil }
        }
        return "red, recorded \(states.first?.description ?? "nothing yet"), \(late) late"
    }
}
