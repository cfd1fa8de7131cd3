/// What a reader says of bytes that it cannot read, in the words of those for whom it reads.
public protocol ByteReadingError: Error {
    /// The bytes end before the value does.
    static var truncated: Self { get }
    /// A number that no writer writes.
    static var malformed: Self { get }
    /// Bytes follow the value.
    static func trailingBytes(_ count: Int) -> Self
}

/// Reads numbers and strings from bytes that may be anything. Never reads past the end and never allocates more than
/// the bytes that are there can justify. A format adds its own words in an extension for its own error.
///
/// Everything is inlinable, and public because the compiler carries no `package` body into other modules: commands and
/// messages are read there, many for every write of a client.
public struct ByteReader<Failure: ByteReadingError> {
    @usableFromInline let bytes: UnsafeRawBufferPointer
    @usableFromInline var position = 0

    /// The bytes are to live as long as the reader.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    @inlinable
    public var remaining: Int { bytes.count &- position }

    // MARK: Numbers

    @inlinable
    public mutating func byte() throws(Failure) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        defer { position &+= 1 }
        return bytes[position]
    }

    /// The least significant byte first.
    @inlinable
    public mutating func littleEndian<Number: FixedWidthInteger>(
        _ type: Number.Type = Number.self
    ) throws(Failure) -> Number {
        guard remaining >= MemoryLayout<Number>.size else { throw .truncated }
        defer { position &+= MemoryLayout<Number>.size }
        return bytes.littleEndian(type, at: position)
    }

    /// The most significant byte first.
    @inlinable
    public mutating func bigEndian<Number: FixedWidthInteger>(
        _ type: Number.Type = Number.self
    ) throws(Failure) -> Number {
        guard remaining >= MemoryLayout<Number>.size else { throw .truncated }
        defer { position &+= MemoryLayout<Number>.size }
        return bytes.bigEndian(type, at: position)
    }

    /// Seven bits a byte, the least significant first, in the shortest form.
    @inlinable
    public mutating func number() throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            if shift == 63, next > 1 { throw .malformed }
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 {
                if next == 0, shift > 0 { throw .malformed }
                return value
            }
            shift &+= 7
            if shift > 63 { throw .malformed }
        }
    }

    // MARK: Several

    /// A `number()` of things that take at least one byte each.
    @inlinable
    public mutating func count() throws(Failure) -> Int {
        let value = try number()
        guard value <= UInt64(remaining) else { throw .truncated }
        return Int(value)
    }

    @inlinable
    public mutating func string(of count: UInt64) throws(Failure) -> [UInt8] {
        guard count <= UInt64(remaining) else { throw .truncated }
        defer { position &+= Int(count) }
        return [UInt8](UnsafeRawBufferPointer(rebasing: bytes[position..<position &+ Int(count)]))
    }

    /// That many bytes as the `number()` in front of them says.
    @inlinable
    public mutating func string() throws(Failure) -> [UInt8] { try string(of: try number()) }

    @inlinable
    public mutating func text() throws(Failure) -> String { String(decoding: try string(), as: UTF8.self) }

    /// That many elements, of which each takes at least one byte. Throws `Failure` and what `each` throws; typed it
    /// would have to be at every closure.
    @inlinable
    public mutating func elements<Element>(
        _ count: UInt64, _ each: (inout Self) throws -> Element
    ) throws -> [Element] {
        guard count <= UInt64(remaining) else { throw Failure.truncated }
        var elements: [Element] = []
        // An element in memory may be many times what it is in the bytes.
        elements.reserveCapacity(min(Int(count), 1024))
        for _ in 0..<count { elements.append(try each(&self)) }
        return elements
    }

    /// That many elements as the `number()` in front of them says.
    @inlinable
    public mutating func elements<Element>(
        _ each: (inout Self) throws -> Element
    ) throws -> [Element] { try elements(try number(), each) }

    // MARK: The end

    /// All that has not been read.
    @inlinable
    public mutating func rest() -> UnsafeRawBufferPointer {
        defer { position = bytes.count }
        return UnsafeRawBufferPointer(rebasing: bytes[position...])
    }

    @inlinable
    public func end() throws(Failure) {
        guard remaining == 0 else { throw .trailingBytes(remaining) }
    }
}
