import Glibc

/// A thread that runs one body until it returns.
final class DedicatedThread: @unchecked Sendable {
    private final class Body {
        let name: String
        let run: () -> Void
        init(name: String, run: @escaping () -> Void) {
            self.name = name
            self.run = run
        }
    }

    private var handle = pthread_t()
    private var isJoined = false

    /// `name` is shown by the operating system's tools; at most 15 bytes of it.
    init(name: String, _ run: @escaping @Sendable () -> Void) {
        let body = Unmanaged.passRetained(Body(name: String(name.prefix(15)), run: run))
        let code = pthread_create(
            &handle, nil,
            { context in
                let body = Unmanaged<Body>.fromOpaque(context!).takeRetainedValue()
                nameThread(body.name)
                body.run()
                return nil
            }, body.toOpaque())
        precondition(code == 0, "cannot make a thread: error \(code)")
    }

    /// Waits until the body has returned. To be called once at most, from another thread.
    func join() {
        guard !isJoined else { return }
        isJoined = true
        pthread_join(handle, nil)
    }
}

private func nameThread(_ name: String) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = write(file, name, name.utf8.count)
    close(file)
}
