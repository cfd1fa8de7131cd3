import Automata
import Coordination
import Glibc

/// Which state of the data file is durable: the file `point` beside it.
///
/// LMDB's own files are safe against a loss of power only when every transaction is synced. Here none is.
/// Instead the state of one transaction, the *point*, is kept intact in the data file by a view that stays
/// open, which keeps its pages from being used again; it is synced; and its meta page is written here. A
/// store is always opened at its point, whatever else the file holds.
///
/// The file has two slots of a page each, written in turn, so that a torn write spoils only the older one:
///
///     0    8    magic
///     8    4    version
///     16   8    how many points were written before
///     24   8    bytes that the data file must have
///     32   152  meta page
///     4092 4    check of everything before
struct DurablePoint: Hashable {
    static let slotBytes = 4096
    private static let magic: UInt64 = 0x544E_504F_4E59_5331
    private static let version: UInt32 = 1

    var sequence: UInt64
    var dataBytes: UInt64
    var meta: MetaPage

    init(sequence: UInt64, dataBytes: UInt64, meta: MetaPage) {
        self.sequence = sequence
        self.dataBytes = dataBytes
        self.meta = meta
    }

    var encoded: [UInt8] {
        var slot = [UInt8](repeating: 0, count: Self.slotBytes)
        slot.withUnsafeMutableBytes { slot in
            slot.storeBytes(of: Self.magic.littleEndian, as: UInt64.self)
            slot.storeBytes(of: Self.version.littleEndian, toByteOffset: 8, as: UInt32.self)
            slot.storeBytes(of: sequence.littleEndian, toByteOffset: 16, as: UInt64.self)
            slot.storeBytes(of: dataBytes.littleEndian, toByteOffset: 24, as: UInt64.self)
            UnsafeMutableRawBufferPointer(rebasing: slot[32...]).copyBytes(from: meta.content)
            let check = CRC32C.check(UnsafeRawBufferPointer(rebasing: slot[..<(Self.slotBytes - 4)]))
            slot.storeBytes(of: check.littleEndian, toByteOffset: Self.slotBytes - 4, as: UInt32.self)
        }
        return slot
    }

    init?(slot: ArraySlice<UInt8>) {
        guard slot.count == Self.slotBytes else { return nil }
        let fields = slot.withUnsafeBytes { slot -> (UInt64, UInt64)? in
            let check = CRC32C.check(UnsafeRawBufferPointer(rebasing: slot[..<(Self.slotBytes - 4)]))
            guard slot.load(fromByteOffset: Self.slotBytes - 4, as: UInt32.self).littleEndian == check,
                slot.load(as: UInt64.self).littleEndian == Self.magic,
                slot.load(fromByteOffset: 8, as: UInt32.self).littleEndian == Self.version
            else { return nil }
            return (
                slot.load(fromByteOffset: 16, as: UInt64.self).littleEndian,
                slot.load(fromByteOffset: 24, as: UInt64.self).littleEndian
            )
        }
        guard let fields, let meta = MetaPage(slot.dropFirst(32)) else { return nil }
        (sequence, dataBytes) = fields
        self.meta = meta
    }
}

/// The open file, locked so that no two use a store at once.
final class PointFile: @unchecked Sendable {
    static let name = "point"
    private let path: String
    private let descriptor: Int32
    private(set) var point: DurablePoint?

    init(in directory: String, create: Bool) throws {
        path = "\(directory)/\(Self.name)"
        descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0o600)
        guard descriptor >= 0 else { throw StoreError(system: "opening", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw StoreError(.failed, "\(directory) is in use by another process")
        }
        var bytes = [UInt8](repeating: 0, count: 2 * DurablePoint.slotBytes)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count >= 0 else { throw StoreError(system: "reading", path) }
        point = [bytes[..<DurablePoint.slotBytes], bytes[DurablePoint.slotBytes..<bytes.count]]
            .compactMap { DurablePoint(slot: $0) }.max { $0.sequence < $1.sequence }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Replaces the older slot; the data file must have been synced before.
    func write(_ meta: MetaPage, dataBytes: UInt64, _ options: LMDBStore.Options) throws {
        let next = DurablePoint(sequence: (point?.sequence ?? 0) + 1, dataBytes: dataBytes, meta: meta)
        // A new file gets both slots at once, so that no later write needs room on the disk.
        let slots = point == nil ? next.encoded + next.encoded : next.encoded
        let offset = point == nil ? 0 : Int(next.sequence % 2) * DurablePoint.slotBytes
        guard pwrite(descriptor, slots, slots.count, off_t(offset)) == slots.count else {
            throw StoreError(system: "writing", path)
        }
        if options.synchronises { try synchronize(options.sync) }
        point = next
    }

    func synchronize(_ sync: (Int32) -> Int32) throws {
        guard sync(descriptor) == 0 else { throw StoreError(system: "syncing", path) }
    }
}
