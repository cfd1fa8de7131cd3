import Glibc

/// Standard error, where progress and complaints go, so that standard output is the result alone.
public enum Terminal {
    public static var isThere: Bool { isatty(2) == 1 }

    public static func complain(_ text: String) { put(text + "\n") }

    /// Takes the place of the line before.
    public static func replaceLine(_ text: String) { put("\r\u{1B}[K" + text) }

    private static func put(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
