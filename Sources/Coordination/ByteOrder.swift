/// Less than, equal to or greater than zero as `a` comes before, equals or comes after `b`: unsigned bytes, a
/// prefix before what it begins. The order of keys everywhere.
@inlinable
public func compareBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let common = min(a.count, b.count)
    var offset = 0
    while offset &+ 8 <= common {
        let x = a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        let y = b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        if x != y { return x.bigEndian < y.bigEndian ? -1 : 1 }
        offset &+= 8
    }
    while offset < common {
        let x = a[offset]
        let y = b[offset]
        if x != y { return x < y ? -1 : 1 }
        offset &+= 1
    }
    return a.count &- b.count
}

@inlinable
func compareBytes(_ a: [UInt8], _ b: [UInt8]) -> Int {
    a.withUnsafeBytes { a in b.withUnsafeBytes { compareBytes(a, $0) } }
}

extension UnsafeRawBufferPointer {
    @inlinable
    func starts(withBytes prefix: UnsafeRawBufferPointer) -> Bool {
        count >= prefix.count
            && compareBytes(UnsafeRawBufferPointer(rebasing: self[..<prefix.count]), prefix) == 0
    }
}
