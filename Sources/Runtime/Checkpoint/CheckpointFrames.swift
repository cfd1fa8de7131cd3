import Automata
import Coordination

// A checkpoint on its connection, after the greeting, each line a frame with its own checksum:
//
//     head     a piece of the checkpoint, as `CheckpointHead` has it
//     rows …   the same, see `CheckpointPiece`
//     end      the same
//     answer   (the other way) whether it was installed, and why not

extension CheckpointPiece.Kind {
    var frame: PeerFrameKind {
        switch self {
        case .head: .checkpointHead
        case .rows: .checkpointRows
        case .end: .checkpointEnd
        }
    }
}

extension PeerFrameKind {
    /// Nil for what is no piece of a checkpoint.
    var checkpointPiece: CheckpointPiece.Kind? {
        switch self {
        case .checkpointHead: .head
        case .checkpointRows: .rows
        case .checkpointEnd: .end
        default: nil
        }
    }
}

struct CheckpointAnswer: Hashable, Sendable {
    var isInstalled: Bool
    var reason: String

    func encode(into bytes: inout [UInt8]) {
        bytes.append(isInstalled ? 1 : 0)
        bytes.appendCounted(Array(reason.utf8))
    }

    init(isInstalled: Bool, reason: String) {
        self.isInstalled = isInstalled
        self.reason = reason
    }

    init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = PeerBodyReader(bytes)
        isInstalled = try reader.byte() != 0
        reason = String(decoding: try reader.counted(), as: UTF8.self)
        try reader.end()
    }
}
