import CLMDB
import CLinux
import Coordination
import Glibc

extension StoreError {
    /// What the library or the operating system answered to `call`.
    init(lmdb code: Int32, _ call: String) {
        switch code {
        case ENOSPC, EDQUOT, EFBIG:
            self.init(.full, "\(call): the disk is full")
        case MDB_MAP_FULL:
            self.init(.full, "\(call): the store has reached the size that it may have in memory")
        case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_VERSION_MISMATCH:
            self.init(.damaged, "\(call): \(String(cString: mdb_strerror(code))): \(Environment.whatToDo)")
        default:
            let advice = String(cString: linux_advice(code))
            self.init(.failed, "\(call): \(String(cString: mdb_strerror(code)))\(advice)")
        }
    }

    /// What the operating system answered to a call on the file `path`.
    init(system call: String, _ path: String, code: Int32 = errno) {
        if code == ENOENT {
            self.init(.damaged, "\(path) is missing: \(Environment.whatToDo)")
            return
        }
        let isFull = code == ENOSPC || code == EDQUOT || code == EFBIG
        self.init(
            isFull ? .full : .failed,
            "\(call) \(path): \(String(cString: strerror(code)))\(String(cString: linux_advice(code)))")
    }
}

@inline(__always)
func check(_ code: Int32, _ call: @autoclosure () -> String) throws {
    if code != MDB_SUCCESS { throw StoreError(lmdb: code, call()) }
}

/// True when there is such an entry, false when there is none.
@inline(__always)
func found(_ code: Int32, _ call: @autoclosure () -> String) throws -> Bool {
    if code == MDB_SUCCESS { return true }
    if code == MDB_NOTFOUND { return false }
    throw StoreError(lmdb: code, call())
}

extension MDB_val {
    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer) {
        self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }

    @inline(__always)
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: mv_data, count: mv_size) }

    /// The eight bytes that name a namespace of long keys.
    func namespace() throws -> UInt64 {
        guard mv_size == 8 else { throw StoreError(.damaged, "a long key does not lead on") }
        return UInt64(bigEndian: mv_data.loadUnaligned(as: UInt64.self))
    }
}
