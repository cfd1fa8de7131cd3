import Glibc

/// Writes a line at once, so that a long run shows how far it is.
enum Console {
    @Sendable static func say(_ line: String) { put(line, to: 1) }

    @Sendable static func complain(_ line: String) { put(line, to: 2) }

    private static func put(_ line: String, to descriptor: Int32) {
        var bytes = Array((line + "\n").utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
