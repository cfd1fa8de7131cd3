import Synchronization

/// Gives every distinct value a number, from any thread. Numbers depend on who comes first and so differ from
/// run to run; fingerprints do not.
@usableFromInline final class Interner<Value: Hashable & Sendable>: Sendable {
    @usableFromInline struct Entry: Sendable {
        @usableFromInline let value: Value
        @usableFromInline let fingerprint: Fingerprint
    }

    @usableFromInline let entries = GrowingList<Entry>()
    private let numbers = Mutex(WordTable())
    private let most: Int

    /// A number above `most` does not fit where numbers are written.
    init(most: Int) { self.most = most }

    @inlinable subscript(number: UInt32) -> Value { entries.pointer(number).pointee.value }

    /// `isNew` is called with the number of a new value before anybody else can see it.
    func number(of value: Value, isNew: (UInt32, Fingerprint) -> Void) -> UInt32 {
        let fingerprint = StructuralHash.fingerprint(of: value)
        return numbers.withLock { numbers in
            let known = numbers.value(of: fingerprint.low) { entries[$0].fingerprint == fingerprint }
            if let known {
                precondition(
                    entries[known].value == value,
                    "two values have one fingerprint, \(entries[known].value) and \(value): make the type Fingerprinted"
                )
                return known
            }
            precondition(entries.count < most, "more than \(most) values of \(Value.self)")
            let number = entries.append(Entry(value: value, fingerprint: fingerprint))
            isNew(number, fingerprint)
            numbers.insert(fingerprint.low, number)
            return number
        }
    }
}
