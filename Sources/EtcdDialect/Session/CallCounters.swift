import GRPC
import Synchronization

/// What an event loop counts of its calls, for the metrics page. One event loop writes; any thread reads.
final class CallCounters: @unchecked Sendable {
    struct Totals {
        var started: UInt64 = 0
        var received: UInt64 = 0
        var sent: UInt64 = 0
        /// By status code.
        var handled = [UInt64](repeating: 0, count: CallCounters.codes)
        /// Unary calls by how long they took: at most so many seconds each.
        var cumulative = [UInt64](repeating: 0, count: CallCounters.bounds.count)
        var timed: UInt64 = 0
        var seconds = 0.0
    }

    /// Of the times of calls in seconds: those that Prometheus's libraries have.
    static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    static let codes = GRPCStatus.Code.unauthenticated.rawValue + 1
    /// Buckets, the number of times, and their sum in microseconds.
    private static let times = 3 + codes
    private static let stride = times + bounds.count + 2
    private static let size = EtcdMethod.allCases.count * stride + 5

    // Fixed memory of atomics: only plain loads and stores are used, so counting costs no lock and no fence.
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>

    init() {
        cells = .allocate(capacity: Self.size)
        for index in 0..<Self.size { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: Self.size)
        cells.deallocate()
    }

    func started(_ method: EtcdMethod) { add(1, to: method.rawValue * Self.stride) }
    func received(_ method: EtcdMethod, bytes: Int) {
        add(1, to: method.rawValue * Self.stride + 1)
        add(UInt64(bytes), to: Self.size - 5)
    }
    func sent(_ method: EtcdMethod, bytes: Int) {
        add(1, to: method.rawValue * Self.stride + 2)
        add(UInt64(bytes), to: Self.size - 4)
    }
    func handled(_ method: EtcdMethod, _ code: GRPCStatus.Code) {
        add(1, to: method.rawValue * Self.stride + 3 + code.rawValue)
    }
    func took(_ method: EtcdMethod, nanoseconds: Int64) {
        let base = method.rawValue * Self.stride + Self.times
        let seconds = Double(nanoseconds) / 1e9
        if let bucket = Self.bounds.firstIndex(where: { seconds <= $0 }) { add(1, to: base + bucket) }
        add(1, to: base + Self.bounds.count)
        add(UInt64(max(0, nanoseconds) / 1000), to: base + Self.bounds.count + 1)
    }
    func healthSucceeded() { add(1, to: Self.size - 2) }
    func healthFailed() { add(1, to: Self.size - 1) }
    func watcherOpened() { add(1, to: Self.size - 3) }
    func watcherClosed() { add(UInt64.max, to: Self.size - 3) }

    var receivedBytes: UInt64 { value(at: Self.size - 5) }
    var sentBytes: UInt64 { value(at: Self.size - 4) }
    var watchers: UInt64 { value(at: Self.size - 3) }

    var healthSuccesses: UInt64 { value(at: Self.size - 2) }
    var healthFailures: UInt64 { value(at: Self.size - 1) }

    func addTotals(of method: EtcdMethod, to totals: inout Totals) {
        let base = method.rawValue * Self.stride
        totals.started += value(at: base)
        totals.received += value(at: base + 1)
        totals.sent += value(at: base + 2)
        for code in 0..<Self.codes { totals.handled[code] += value(at: base + 3 + code) }
        var count: UInt64 = 0
        for bucket in Self.bounds.indices {
            count += value(at: base + Self.times + bucket)
            totals.cumulative[bucket] += count
        }
        totals.timed += value(at: base + Self.times + Self.bounds.count)
        totals.seconds += Double(value(at: base + Self.times + Self.bounds.count + 1)) / 1e6
    }

    private func add(_ amount: UInt64, to index: Int) {
        let cell = cells + index
        cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }

    private func value(at index: Int) -> UInt64 { (cells + index).pointee.load(ordering: .relaxed) }
}
