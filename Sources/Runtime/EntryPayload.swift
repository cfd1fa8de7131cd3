import Automata
import Coordination

/// The form in which a command lies in the log: space (1 byte), command version (1 byte), payload.
enum EntryPayload {
    static let headerBytes = 2

    static func encode(_ command: Command) -> Payload {
        Payload(
            [UInt8](unsafeUninitializedCapacity: headerBytes + command.payload.count) { bytes, count in
                bytes[0] = command.space.rawValue
                bytes[1] = command.version
                _ = UnsafeMutableBufferPointer(rebasing: bytes[headerBytes...])
                    .initialize(fromContentsOf: command.payload)
                count = headerBytes + command.payload.count
            })
    }

    static func encode(_ command: KeyValueCommand) -> Payload {
        encode(command.command)
    }

    /// Throws `UnknownCommand` for a space or version that this program does not know: it must stop rather
    /// than guess what the other members have done.
    static func decode(_ payload: Payload) throws -> KeyValueCommand {
        guard payload.count >= headerBytes, let space = Command.Space(rawValue: payload.bytes[0]) else {
            throw UnknownCommand(space: payload.bytes.first ?? 0, version: 0)
        }
        switch space {
        case .keyValue:
            let version = payload.bytes[1]
            guard version <= KeyValueCommand.currentVersion else {
                throw UnknownCommand(space: space.rawValue, version: version)
            }
            return try payload.bytes.withUnsafeBytes { bytes in
                try KeyValueCommand(
                    decoding: UnsafeRawBufferPointer(rebasing: bytes[headerBytes...]), version: version)
            }
        }
    }
}

struct UnknownCommand: Error, CustomStringConvertible {
    var space: UInt8
    var version: UInt8

    var description: String {
        "the log holds a command of space \(space), version \(version), which this program does not know; "
            + "it was written by a later version: upgrade this member"
    }
}
