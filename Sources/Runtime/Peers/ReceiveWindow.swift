import NIOCore
import Synchronization

/// How much of what arrived on one connection waits for the thread that takes it. At the bound the connection is
/// not read any more, so that the sender's socket fills and its own bound holds; below half of it reading goes on.
final class ReceiveWindow: Sendable {
    private struct State {
        var waiting = 0
        var isPaused = false
    }

    private let limit: Int
    private let channel: any Channel
    /// Told on the connection's event loop whether it is read.
    private let changed: @Sendable (_ isReading: Bool) -> Void
    private let state = Mutex(State())

    init(limit: Int, channel: any Channel, changed: @escaping @Sendable (Bool) -> Void) {
        self.limit = limit
        self.channel = channel
        self.changed = changed
    }

    /// What has arrived and is on its way to that thread. On the connection's event loop.
    func arrived(_ count: Int) {
        let pauses = state.withLock { state in
            state.waiting += count
            guard state.waiting >= limit, !state.isPaused else { return false }
            state.isPaused = true
            return true
        }
        if pauses { apply() }
    }

    /// What was taken. Any thread.
    func taken(_ count: Int) {
        let resumes = state.withLock { state in
            state.waiting -= count
            guard state.isPaused, state.waiting <= limit / 2 else { return false }
            state.isPaused = false
            return true
        }
        if resumes { channel.eventLoop.execute { self.apply() } }
    }

    private func apply() {
        let isReading = !state.withLock { $0.isPaused }
        _ = channel.setOption(ChannelOptions.autoRead, value: isReading)
        changed(isReading)
    }
}
