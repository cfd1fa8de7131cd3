import Glibc
import Synchronization

/// Ctrl-C, for work that says what it has found so far before it ends.
public enum Interrupt {
    /// As shells know it: 128 and the number of the signal.
    public static let exitCode: Int32 = 130

    /// From now on the first SIGINT asks for the end, and the second ends the process at once.
    public static func watch() {
        // Made here, so that a handler does not make it.
        asked.store(false, ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in asked.store(true, ordering: .relaxed) }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
        sigaction(SIGINT, &action, nil)
    }

    public static var isAsked: Bool { asked.load(ordering: .relaxed) }
}

private let asked = Atomic<Bool>(false)
