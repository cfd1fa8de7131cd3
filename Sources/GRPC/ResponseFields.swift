import CNghttp2

/// The header fields of responses. Those of a successful call never change and are never copied.
enum ResponseFields {
    private typealias Field = (name: StaticString, value: StaticString)

    /// `:status: 200`, `content-type: application/grpc`.
    nonisolated(unsafe) static let start = table([
        (":status", "200"), ("content-type", "application/grpc"),
    ])
    static let startCount = 2
    /// `grpc-status: 0`
    nonisolated(unsafe) static let ok = table([("grpc-status", "0")])

    /// The trailers that tell `status`.
    static func withTrailers(_ status: GRPCStatus, _ body: (UnsafePointer<nghttp2_nv>, Int) -> some Any) {
        withStatusFields(status, after: [], body)
    }

    /// A whole response without a message: HTTP's status and the call's in one block.
    static func withTrailersOnly(
        http: StaticString, _ status: GRPCStatus, _ body: (UnsafePointer<nghttp2_nv>, Int) -> some Any
    ) {
        withStatusFields(
            status,
            after: [field((":status", http)), field(("content-type", "application/grpc"))], body)
    }

    private static func withStatusFields(
        _ status: GRPCStatus, after first: [nghttp2_nv],
        _ body: (UnsafePointer<nghttp2_nv>, Int) -> some Any
    ) {
        var code = Array(String(status.code.rawValue).utf8)
        var message = status.encodedMessage
        code.withUnsafeMutableBufferPointer { code in
            message.withUnsafeMutableBufferPointer { message in
                var fields = first
                fields.append(field("grpc-status", copying: code))
                // Messages differ from call to call and would only push useful entries out of the table.
                if !message.isEmpty {
                    fields.append(field("grpc-message", copying: message, indexed: false))
                }
                _ = body(fields, fields.count)
            }
        }
    }

    private static func table(_ fields: [Field]) -> UnsafePointer<nghttp2_nv> {
        let memory = UnsafeMutablePointer<nghttp2_nv>.allocate(capacity: fields.count)
        for (index, each) in fields.enumerated() { (memory + index).initialize(to: field(each)) }
        return UnsafePointer(memory)
    }

    private static func field(_ field: Field) -> nghttp2_nv {
        nghttp2_nv(
            name: UnsafeMutablePointer(mutating: field.name.utf8Start),
            value: UnsafeMutablePointer(mutating: field.value.utf8Start),
            namelen: field.name.utf8CodeUnitCount, valuelen: field.value.utf8CodeUnitCount,
            flags: UInt8(
                NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue))
    }

    private static func field(
        _ name: StaticString, copying value: UnsafeMutableBufferPointer<UInt8>, indexed: Bool = true
    ) -> nghttp2_nv {
        nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start), value: value.baseAddress,
            namelen: name.utf8CodeUnitCount, valuelen: value.count,
            flags: UInt8(
                NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue
                    | (indexed ? 0 : NGHTTP2_NV_FLAG_NO_INDEX.rawValue)))
    }
}
