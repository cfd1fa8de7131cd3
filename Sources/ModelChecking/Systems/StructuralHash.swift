import Automata

/// A stable hash of a value by its structure, for values that have no other: what is `Fingerprinted` says so
/// itself, everything else is taken apart field by field.
///
/// It is slow, and made for values that are looked at once, as the local states of processes are. Two different
/// values may have one hash where a type's own description hides a difference of cases without values; whoever
/// relies on it compares the values as well.
public enum StructuralHash {
    public static func fingerprint(of value: Any) -> Fingerprint {
        var hash = StableHash()
        combine(value, into: &hash)
        return Fingerprint(hash)
    }

    public static func combine(_ value: Any, into hash: inout StableHash) {
        switch value {
        // First, because a cast looks through an optional.
        case let value as any Wrapping:
            hash.combine(value.wrapped == nil ? 0x6E : 0x73)
            if let wrapped = value.wrapped { combine(wrapped, into: &hash) }
        case let value as any Fingerprinted: value.combine(into: &hash)
        case let value as any BinaryInteger: hash.combine(UInt64(truncatingIfNeeded: value))
        case let value as Bool: hash.combine(value ? 0x74 : 0x66)
        case let value as String: hash.combine(Array(value.utf8))
        case let value as [UInt8]: hash.combine(value)
        default: combine(Mirror(reflecting: value), of: value, into: &hash)
        }
    }

    private static func combine(_ mirror: Mirror, of value: Any, into hash: inout StableHash) {
        let children = mirror.children
        hash.combine(0x6D00 + UInt64(children.count))
        switch mirror.displayStyle {
        case .set, .dictionary:
            // Their order differs from run to run.
            var sum = (low: UInt64(0), high: UInt64(0))
            for child in children {
                let one = fingerprint(of: child.value)
                sum = (sum.low &+ one.low, sum.high &+ one.high)
            }
            hash.combine(sum.low)
            hash.combine(sum.high)
        case .enum:
            if let child = children.first {
                hash.combine(Array((child.label ?? "").utf8))
                combine(child.value, into: &hash)
            } else {
                hash.combine(Array("\(value)".utf8))
            }
        case nil where children.isEmpty: hash.combine(Array("\(value)".utf8))
        default: for child in children { combine(child.value, into: &hash) }
        }
    }
}

/// What may be there or not.
private protocol Wrapping {
    var wrapped: Any? { get }
}

extension Optional: Wrapping {
    fileprivate var wrapped: Any? { map { $0 as Any } }
}
