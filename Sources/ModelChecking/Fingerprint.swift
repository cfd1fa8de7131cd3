import Automata

/// A 128-bit name of a state. A search that keeps fingerprints instead of states takes two states for one
/// when their fingerprints are equal; among n states the chance of that is below n² / 2^129.
public struct Fingerprint: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let low: UInt64
    public let high: UInt64

    @inlinable public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inlinable public init(_ hash: StableHash) {
        let value = hash.value
        self.init(low: value.low, high: value.high)
    }

    @inlinable public init(of value: some Fingerprinted) {
        var hash = StableHash()
        value.combine(into: &hash)
        self.init(hash)
    }

    @inlinable public static func < (a: Fingerprint, b: Fingerprint) -> Bool {
        (a.high, a.low) < (b.high, b.low)
    }

    public var description: String { StableHash(low: low, high: high).description }
}

/// A value that can be written down as words, equal values as equal words and different ones as different
/// words.
public protocol Fingerprinted {
    func combine(into hash: inout StableHash)
}

extension FixedWidthInteger where Self: UnsignedInteger {
    @inlinable public func combine(into hash: inout StableHash) {
        hash.combine(UInt64(truncatingIfNeeded: self))
        if Self.bitWidth > 64 { hash.combine(UInt64(truncatingIfNeeded: self >> 64)) }
    }
}

extension UInt8: Fingerprinted {}
extension UInt16: Fingerprinted {}
extension UInt32: Fingerprinted {}
extension UInt64: Fingerprinted {}
extension UInt128: Fingerprinted {}
