import CLMDB
import Glibc

/// Room on the disk behind the end of the data file, set aside while there is some, so that removing and
/// compacting still work when the disk is full: both write new pages before they free old ones.
struct SpaceReserve {
    private let descriptor: Int32
    private var end = 0
    /// The file system cannot set room aside; nothing is known then before a write fails.
    private var isUnsupported = false
    private(set) var isLow = false

    private static let smallest = 1 << 20
    private static let largest = 16 << 20

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Called when the pages in use end at `used`.
    mutating func keep(behind used: Int) {
        let wanted = min(Self.largest, max(Self.smallest, used / 4))
        guard !isUnsupported, end - used < wanted / 2 || isLow else { return }
        let start = max(end, used)
        while clmdb_set_room_aside(descriptor, off_t(start), off_t(used + wanted - start)) != 0 {
            switch errno {
            case EINTR: continue
            case EOPNOTSUPP, ENOSYS: isUnsupported = true
            default: isLow = true
            }
            return
        }
        end = used + wanted
        isLow = false
    }

    /// Whether a write that was cut short met a full disk. What it did write lies behind the pages in use.
    mutating func foundNoRoom(behind used: Int) -> Bool {
        var status = stat()
        let written = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
        end = min(end, used)
        keep(behind: max(used, written))
        return isLow
    }
}
