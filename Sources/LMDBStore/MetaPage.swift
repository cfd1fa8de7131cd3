import Coordination

/// The page from which everything in an LMDB 0.9 data file can be reached. Two of them lie at the beginning
/// of the file; the transaction numbered `t` writes the one at `t % 2`, in the byte order of the machine:
///
///     0    page number (8), padding (2), flags (2), unused (4)
///     16   magic (4), version (4), address (8), size of the map (8)
///     40   root of the free pages (48), which begins with the page size (4); root of the tables (48); each ends with
///          the number of its first page (8), all ones where there is none
///     136  last page in use (8), transaction number (8)
struct MetaPage: Hashable {
    static let bytes = 152
    private(set) var content: [UInt8]

    init?(_ content: some Sequence<UInt8>) {
        self.content = Array(content.prefix(Self.bytes))
        guard self.content.count == Self.bytes, number(at: 16, UInt32.self) == 0xBEEF_C0DE,
            number(at: 20, UInt32.self) == 1, number(at: 10, UInt16.self) & 8 != 0,
            [4096, 8192, 16384, 32768, 65536].contains(pageBytes)
        else { return nil }
    }

    var pageBytes: Int { Int(number(at: 40, UInt32.self)) }
    var lastPage: UInt64 { number(at: 136, UInt64.self) }
    var transaction: UInt64 { number(at: 144, UInt64.self) }

    /// Where the list of free pages and that of the tables begin, of those that there are.
    var roots: [UInt64] {
        [number(at: 80, UInt64.self), number(at: 128, UInt64.self)].filter { $0 != .max }
    }

    /// Whether bytes may be the beginning of that page of a tree: its number (8), padding (2), flags (2), and where its
    /// free room begins and ends (2 each).
    func canBegin(_ page: UInt64, with header: [UInt8]) -> Bool {
        header.withUnsafeBytes { header in
            let flags = header.loadUnaligned(fromByteOffset: 10, as: UInt16.self)
            let lower = header.loadUnaligned(fromByteOffset: 12, as: UInt16.self)
            let upper = header.loadUnaligned(fromByteOffset: 14, as: UInt16.self)
            return header.loadUnaligned(as: UInt64.self) == page && (flags & 3 == 1 || flags & 3 == 2)
                && lower >= 16 && lower <= upper && Int(upper) <= pageBytes
        }
    }

    /// The same as page 0 or 1.
    func asPage(_ page: UInt64) -> [UInt8] {
        var copy = content
        withUnsafeBytes(of: page) { copy.replaceSubrange(0..<8, with: $0) }
        return copy
    }

    private func number<Number: FixedWidthInteger>(at offset: Int, _: Number.Type) -> Number {
        content.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
    }
}
