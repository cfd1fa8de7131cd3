import Paxos
import Replica

/// The form in which the store keeps the configuration in force, and in which peers are told of it.
public enum ConfigurationCodec {
    public static func encode(_ configuration: Configuration) -> [UInt8] {
        var bytes: [UInt8] = []
        configuration.encode(into: &bytes)
        return bytes
    }

    public static func decode(_ bytes: [UInt8]) throws -> Configuration {
        try bytes.withUnsafeBytes { try Configuration(decoding: $0) }
    }
}
