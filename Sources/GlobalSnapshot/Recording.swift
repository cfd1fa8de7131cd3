import Automata

/// What one process is recording for one snapshot: its state, and every channel to it until the marker comes.
struct Recording: Hashable, Sendable {
    struct Source: Hashable, Sendable {
        let process: ProcessID
        /// The marker has not come yet.
        var isOpen: Bool
        var bytes = 0
    }

    let id: SnapshotID
    let isInitiator: Bool
    /// `nil` until the host has handed it in.
    var state: Payload?
    /// In ascending order of process.
    var sources: [Source]
    /// In the order of their receipt, over all channels.
    var messages: [RecordedMessage] = []

    /// The piece, once the state is in and the last marker has come.
    func piece(of process: ProcessID) -> SnapshotPiece? {
        guard let state, !sources.contains(where: \.isOpen) else { return nil }
        var piece = SnapshotPiece(
            process: process, isInitiator: isInitiator, state: state, sources: sources.map(\.process))
        piece.messages = messages
        return piece
    }
}
