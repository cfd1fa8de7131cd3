/// Values under numbers that are given out again, but never the same number for two values: the low half says
/// where the value lies, the rest how often that place was used before.
struct Slab<Value> {
    private struct Place {
        var generation: UInt32 = 0
        var value: Value?
    }

    private var places: [Place] = []
    private var free: [UInt32] = []

    /// The top two bits of every number are clear.
    private static var generations: UInt32 { 1 << 30 }

    var count: Int { places.count - free.count }

    var values: [Value] { places.compactMap(\.value) }

    mutating func insert(_ value: Value) -> UInt64 {
        if let index = free.popLast() {
            places[Int(index)].value = value
            return UInt64(places[Int(index)].generation) << 32 | UInt64(index)
        }
        places.append(Place(value: value))
        return UInt64(places.count - 1)
    }

    subscript(number: UInt64) -> Value? {
        let index = Int(number & 0xffff_ffff)
        guard index < places.count, places[index].generation == UInt32(number >> 32) else { return nil }
        return places[index].value
    }

    @discardableResult
    mutating func remove(_ number: UInt64) -> Value? {
        let index = Int(number & 0xffff_ffff)
        guard index < places.count, places[index].generation == UInt32(number >> 32),
            let value = places[index].value
        else { return nil }
        places[index].value = nil
        places[index].generation = (places[index].generation &+ 1) % Self.generations
        free.append(UInt32(index))
        return value
    }
}
