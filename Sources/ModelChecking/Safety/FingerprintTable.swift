/// A set of fingerprints, each with a link to where it was reached from: open addressing with linear
/// probing, in memory of its own, so that its size is known to the byte.
///
/// A second word of the slot may number a state that is kept elsewhere; `matches` then decides whether an
/// equal fingerprint really is the same state.
@usableFromInline struct FingerprintTable {
    @usableFromInline struct Slot {
        @usableFromInline var low: UInt64
        @usableFromInline var high: UInt64
        /// Where the state was first reached from; what that means is up to the search.
        @usableFromInline var link: UInt64

        @inlinable init(low: UInt64, high: UInt64, link: UInt64) {
            self.low = low
            self.high = high
            self.link = link
        }
    }

    @usableFromInline var slots: UnsafeMutablePointer<Slot>
    /// Numbers of kept states, beside the slots; only when states are kept.
    @usableFromInline var numbers: UnsafeMutablePointer<UInt32>?
    @usableFromInline var capacity: Int
    @usableFromInline var count = 0

    @inlinable static var initialCapacity: Int { 16 }

    @inlinable init(keepsNumbers: Bool) {
        capacity = Self.initialCapacity
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: Slot(low: 0, high: 0, link: 0), count: capacity)
        numbers = keepsNumbers ? .allocate(capacity: capacity) : nil
        numbers?.initialize(repeating: 0, count: capacity)
    }

    @inlinable func deallocate() {
        slots.deallocate()
        numbers?.deallocate()
    }

    @inlinable var bytesPerSlot: Int { MemoryLayout<Slot>.stride + (numbers == nil ? 0 : 4) }
    @inlinable var bytes: Int { capacity * bytesPerSlot }

    /// The capacity at which `count` entries fill no more than three quarters.
    @inlinable static func capacity(for count: Int) -> Int {
        var capacity = initialCapacity
        while capacity * 3 < count * 4 { capacity *= 2 }
        return capacity
    }

    /// All-zero words mark an empty slot, so the one fingerprint that looks like one is moved aside.
    @inlinable static func key(_ fingerprint: Fingerprint) -> (low: UInt64, high: UInt64) {
        fingerprint.low | fingerprint.high == 0 ? (1, 0) : (fingerprint.low, fingerprint.high)
    }

    /// The low bits choose the shard, so the place comes from above them.
    @inlinable func place(_ low: UInt64) -> Int {
        Int(truncatingIfNeeded: low >> 8) & (capacity &- 1)
    }

    @inlinable func contains(_ fingerprint: Fingerprint, where matches: (UInt32) -> Bool) -> Bool {
        let (low, high) = Self.key(fingerprint)
        var place = place(low)
        while true {
            let slot = slots[place]
            if slot.low == low, slot.high == high {
                guard let numbers else { return true }
                if matches(numbers[place]) { return true }
            }
            if slot.low | slot.high == 0 { return false }
            place = (place &+ 1) & (capacity &- 1)
        }
    }

    /// Whether it was absent. There must be room.
    @inlinable mutating func insert(
        _ fingerprint: Fingerprint, link: UInt64, number: UInt32, where matches: (UInt32) -> Bool
    ) -> Bool {
        let (low, high) = Self.key(fingerprint)
        var place = place(low)
        while true {
            let slot = slots[place]
            if slot.low | slot.high == 0 {
                slots[place] = Slot(low: low, high: high, link: link)
                numbers?[place] = number
                count &+= 1
                return true
            }
            if slot.low == low, slot.high == high {
                guard let numbers else { return false }
                if matches(numbers[place]) { return false }
            }
            place = (place &+ 1) & (capacity &- 1)
        }
    }

    /// The entry whose low word this is: links name an entry by it.
    @usableFromInline func slot(low: UInt64) -> Slot? {
        var place = place(low)
        while true {
            let slot = slots[place]
            if slot.low | slot.high == 0 { return nil }
            if slot.low == low { return slot }
            place = (place &+ 1) & (capacity &- 1)
        }
    }

    @usableFromInline mutating func grow(to newCapacity: Int) {
        guard newCapacity > capacity else { return }
        let (oldSlots, oldNumbers, oldCapacity) = (slots, numbers, capacity)
        capacity = newCapacity
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: Slot(low: 0, high: 0, link: 0), count: capacity)
        if oldNumbers != nil {
            numbers = .allocate(capacity: capacity)
            numbers?.initialize(repeating: 0, count: capacity)
        }
        for old in 0..<oldCapacity where oldSlots[old].low | oldSlots[old].high != 0 {
            var place = place(oldSlots[old].low)
            while slots[place].low | slots[place].high != 0 { place = (place &+ 1) & (capacity &- 1) }
            slots[place] = oldSlots[old]
            if let oldNumbers { numbers?[place] = oldNumbers[old] }
        }
        oldSlots.deallocate()
        oldNumbers?.deallocate()
    }
}
