import Automata
import Coordination

/// The form in which a command lies in the log: space (1 byte), command version (1 byte), payload.
public enum EntryPayload {
    private static let headerBytes = 2

    public static func encode(_ command: Command) -> Payload {
        Payload(
            [UInt8](unsafeUninitializedCapacity: headerBytes + command.payload.count) { bytes, count in
                bytes[0] = command.space.rawValue
                bytes[1] = command.version
                _ = UnsafeMutableBufferPointer(rebasing: bytes[headerBytes...])
                    .initialize(fromContentsOf: command.payload)
                count = headerBytes + command.payload.count
            })
    }

    /// Calls `body` with what the ledger takes. Throws `UnknownCommand` where there is no command.
    public static func withCommand<R>(
        in payload: Payload,
        _ body: (_ payload: UnsafeRawBufferPointer, _ version: UInt8, _ space: SpaceID) throws -> R
    ) throws -> R {
        try payload.bytes.withUnsafeBytes { bytes in
            guard bytes.count >= headerBytes else {
                throw UnknownCommand(space: SpaceID(rawValue: bytes.first ?? 0), version: 0)
            }
            return try body(
                UnsafeRawBufferPointer(rebasing: bytes[headerBytes...]), bytes[1], SpaceID(rawValue: bytes[0])
            )
        }
    }
}
