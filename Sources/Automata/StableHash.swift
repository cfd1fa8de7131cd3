/// A 128-bit running hash that is the same in every run and on every machine, unlike `Hasher`.
///
/// It names states and traces, so that two runs can be compared by one line. It is not made to withstand
/// an adversary. The mixing function is the finaliser of SplitMix64 (Steele, Lea, Flood, Fast Splittable
/// Pseudorandom Number Generators, OOPSLA 2014).
public struct StableHash: Hashable, Sendable, CustomStringConvertible {
    @usableFromInline var low: UInt64 = 0x9E37_79B9_7F4A_7C15
    @usableFromInline var high: UInt64 = 0xC2B2_AE3D_27D4_EB4F

    @inlinable public init() {}

    /// Continues from a value that was written down earlier.
    @inlinable public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inlinable public var value: (low: UInt64, high: UInt64) { (low, high) }

    @inlinable static func mixed(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    @inlinable public mutating func combine(_ word: UInt64) {
        low = Self.mixed(low &+ word &+ 0x9E37_79B9_7F4A_7C15)
        high = Self.mixed(high ^ (low &* 0xD6E8_FEB8_6659_FD93) ^ word)
    }

    /// Takes the bytes and their count, so that `[1], [2]` and `[1, 2]` differ.
    @inlinable public mutating func combine(_ bytes: [UInt8]) {
        combine(UInt64(bytes.count))
        bytes.withUnsafeBytes { buffer in
            let whole = buffer.count & ~7
            for offset in stride(from: 0, to: whole, by: 8) {
                combine(UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            }
            guard whole < buffer.count else { return }
            var word: UInt64 = 0
            for offset in whole..<buffer.count {
                word |= UInt64(buffer[offset]) << UInt64((offset - whole) * 8)
            }
            combine(word)
        }
    }

    /// Thirty-two hexadecimal digits.
    public var description: String { Self.digits(high) + Self.digits(low) }

    private static func digits(_ word: UInt64) -> String {
        let text = String(word, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
