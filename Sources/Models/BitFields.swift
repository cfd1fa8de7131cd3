/// An unsigned integer that is a state: fields of a few bits each, so that a state needs no memory of its
/// own, and equality and fingerprints cost next to nothing.
public typealias PackedState = FixedWidthInteger & UnsignedInteger & Sendable

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The `width` bits from `place` on.
    @inline(__always) func field(_ place: Int, _ width: Int) -> Int {
        Int(truncatingIfNeeded: self &>> Self(truncatingIfNeeded: place)) & (1 << width - 1)
    }

    @inline(__always) mutating func setField(_ place: Int, _ width: Int, to value: Int) {
        let mask = Self(truncatingIfNeeded: 1 << width - 1) &<< Self(truncatingIfNeeded: place)
        self = self & ~mask | Self(truncatingIfNeeded: value) &<< Self(truncatingIfNeeded: place)
    }

    @inline(__always) func bit(_ place: Int) -> Bool { field(place, 1) == 1 }

    @inline(__always) mutating func setBit(_ place: Int) {
        self |= 1 &<< Self(truncatingIfNeeded: place)
    }
}

/// How many bits hold the numbers below `count`.
func bitWidth(of count: Int) -> Int { count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount }
