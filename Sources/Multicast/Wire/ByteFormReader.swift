import Automata

/// Reads what `ByteForm` wrote. Whatever the bytes are, nothing is read past their end and nothing is reserved that
/// they do not fill.
public struct ByteFormReader {
    private var rest: ArraySlice<UInt8>

    public init(_ bytes: [UInt8]) { rest = bytes[...] }

    public var isAtEnd: Bool { rest.isEmpty }
    public var remaining: Payload { Payload(Array(rest)) }

    public mutating func byte() -> UInt8? { rest.popFirst() }

    public mutating func word() -> UInt64? {
        guard rest.count >= 8 else { return nil }
        let value = rest.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        rest.removeFirst(8)
        return value
    }

    public mutating func process() -> ProcessID? { word().map(ProcessID.init) }

    public mutating func id() -> MulticastID? {
        guard let sender = process(), let number = word() else { return nil }
        return MulticastID(sender: sender, number: number)
    }

    public mutating func payload() -> Payload? {
        guard let count = word(), count <= UInt64(rest.count) else { return nil }
        defer { rest.removeFirst(Int(count)) }
        return Payload(Array(rest.prefix(Int(count))))
    }

    public mutating func list<Element>(_ body: (inout ByteFormReader) -> Element?) -> [Element]? {
        guard let count = word(), count <= UInt64(rest.count) else { return nil }
        var elements: [Element] = []
        for _ in 0..<count {
            guard let element = body(&self) else { return nil }
            elements.append(element)
        }
        return elements
    }
}
