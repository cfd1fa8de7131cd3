import Synchronization

/// Remembers what a process may be asked for because of its inbox, by its local state and the messages in the
/// inbox. Any thread may ask.
final class InboxMemory: @unchecked Sendable {
    private struct Entry {
        /// The local state, then the messages.
        let key: [UInt32]
        let requests: [UInt32]
    }

    private let table = Mutex(WordTable())
    private let entries = GrowingList<Entry>()

    init() {}

    /// `key` names the local state and then the messages as words.
    func requests(for key: [UInt32], compute: () -> [UInt32]) -> [UInt32] {
        var mark = UInt64(key.count)
        for word in key { mark = FingerprintSum.mixed(mark &+ UInt64(word) &+ 0x9E37_79B9_7F4A_7C15) }
        let known = table.withLock { $0.value(of: mark) { entries[$0].key == key } }
        if let known { return entries[known].requests }
        let requests = compute()
        table.withLock { table in
            guard table.value(of: mark, where: { entries[$0].key == key }) == nil else { return }
            table.insert(mark, entries.append(Entry(key: key, requests: requests)))
        }
        return requests
    }
}
