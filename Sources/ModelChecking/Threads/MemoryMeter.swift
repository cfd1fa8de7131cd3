import Glibc

/// Decides whether a search may take more memory.
///
/// Where states are plain bytes, the sizes of tables and buffers are all there is, and the decision is the
/// same on every run. States that hold references own more than their own size, so there the process's
/// resident memory is looked at as well.
@usableFromInline struct MemoryMeter: Sendable {
    private let limit: Int?
    private let countsResident: Bool
    /// What the process had when the search began.
    private let before: Int

    @usableFromInline init(limit: Int?, countsResident: Bool) {
        self.limit = limit
        self.countsResident = countsResident && limit != nil
        before = self.countsResident ? Self.residentBytes() : 0
    }

    @usableFromInline func allows(_ bytes: Int) -> Bool {
        guard let limit else { return true }
        if bytes > limit { return false }
        return !countsResident || Self.residentBytes() - before <= limit
    }

    /// What a search takes that knows of `bytes`: where states own more than their own size, what the process has
    /// got since, if that is more.
    @usableFromInline func measured(_ bytes: Int) -> Int {
        countsResident ? max(bytes, Self.residentBytes() - before) : bytes
    }

    /// 0 when the operating system does not say.
    private static func residentBytes() -> Int {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 128)
        let count = read(file, &text, text.count)
        guard count > 0 else { return 0 }
        let words = text.prefix(count).split(separator: UInt8(ascii: " "))
        guard words.count > 1, let pages = Int(String(decoding: words[1], as: UTF8.self)) else { return 0 }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
