import CNghttp2

/// What the header block of one request says, gathered field by field.
struct RequestHead {
    var path: String?
    var metadata = GRPCMetadata()
    /// Nanoseconds.
    var timeout: Int64?
    /// Why the request cannot become a call, and the HTTP status that goes with it.
    private(set) var refusal: (http: StaticString, status: GRPCStatus)?
    private var isGRPC = false
    private var contentType = ""
    private var listBytes = 0
    /// Of fields that were left out of the block.
    var droppedBytes = 0

    mutating func reset() {
        path = nil
        if !metadata.entries.isEmpty { metadata.entries = [] }
        timeout = nil
        refusal = nil
        isGRPC = false
        if !contentType.isEmpty { contentType = "" }
        listBytes = 0
    }

    /// One field, as HPACK gave it.
    mutating func onField(
        name: OpaquePointer, value: OpaquePointer, limit: Int, strings: inout HeaderStrings
    ) {
        let nameBytes = HeaderStrings.bytes(name)
        let valueBytes = HeaderStrings.bytes(value)
        listBytes += nameBytes.count + valueBytes.count + 32
        guard listBytes <= limit else {
            refuse("431", .headersTooLarge)
            return
        }
        switch (nameBytes.count, nameBytes.first ?? 0) {
        case (5, UInt8(ascii: ":")) where nameBytes.equals(":path"):
            path = strings.string(value)
        case (7, UInt8(ascii: ":")) where nameBytes.equals(":method"):
            if !valueBytes.equals("POST") { refuse("405", .method(HeaderStrings.copy(valueBytes))) }
        case (_, UInt8(ascii: ":")):
            break
        case (2, UInt8(ascii: "t")) where nameBytes.equals("te"):
            break
        case (10, UInt8(ascii: "u")) where nameBytes.equals("user-agent"):
            break
        case (12, UInt8(ascii: "c")) where nameBytes.equals("content-type"):
            onContentType(valueBytes)
        case (14, UInt8(ascii: "c")) where nameBytes.equals("content-length"):
            break
        case (_, UInt8(ascii: "g")) where nameBytes.starts(with: "grpc-"):
            onTransportField(nameBytes, valueBytes)
        default:
            metadata.entries.append((strings.string(name), strings.string(value)))
        }
    }

    /// The block is complete: says whether it makes a call.
    mutating func onEnd(limit: Int) {
        if listBytes + droppedBytes > limit { refuse("431", .headersTooLarge) }
        if refusal == nil, !isGRPC { refuse("415", .contentType(contentType)) }
    }

    /// `application/grpc`, alone or followed by `+…` or `;…`.
    private mutating func onContentType(_ value: UnsafeBufferPointer<UInt8>) {
        let prefix: StaticString = "application/grpc"
        isGRPC =
            value.starts(with: prefix)
            && (value.count == prefix.utf8CodeUnitCount
                || value[prefix.utf8CodeUnitCount] == UInt8(ascii: "+")
                || value[prefix.utf8CodeUnitCount] == UInt8(ascii: ";"))
        if !isGRPC { contentType = HeaderStrings.copy(value) }
    }

    private mutating func onTransportField(
        _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
    ) {
        if name.equals("grpc-timeout") {
            timeout = GRPCTimeout.parse(value)
            if timeout == nil { refuse("400", .malformedTimeout(HeaderStrings.copy(value))) }
        } else if name.equals("grpc-encoding"), !value.equals("identity"), !value.isEmpty {
            refuse("200", .unknownEncoding(HeaderStrings.copy(value)))
        }
    }

    /// The first reason stands.
    private mutating func refuse(_ http: StaticString, _ status: GRPCStatus) {
        if refusal == nil { refusal = (http, status) }
    }
}

extension UnsafeBufferPointer<UInt8> {
    func equals(_ text: StaticString) -> Bool { count == text.utf8CodeUnitCount && starts(with: text) }

    func starts(with text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount where self[index] != text.utf8Start[index] { return false }
        return true
    }
}
