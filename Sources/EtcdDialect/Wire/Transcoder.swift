import FoundationEssentials
import SwiftProtobuf

/// Turns a call's messages from JSON to protobuf and back, by the rules of etcd's gateway: field names as in
/// the protocol, or in lower camel case on the way in; 64-bit integers as strings on the way out, and either
/// way on the way in; bytes in base64; unknown fields ignored; fields with their default left out.
struct Transcoder: Sendable {
    /// The protobuf form of a request; throws `EtcdFault`.
    let request: @Sendable (_ json: [UInt8]) throws -> [UInt8]
    /// The JSON form of a response; nil when the bytes are not one.
    let response: @Sendable (_ message: UnsafeRawBufferPointer) -> [UInt8]?

    init<Request: Message, Response: Message>(_: Request.Type, _: Response.Type) {
        request = { json in
            // The gateway takes the absence of a body, and `null`, for a message without fields.
            if json.isEmpty || json == Array("null".utf8) { return [] }
            do {
                return try Self.decode(Request.self, json).serializedBytes()
            } catch {
                throw EtcdFault(.invalidArgument, "json: \(error)")
            }
        }
        response = { message in
            guard let decoded = try? Response(serializedBytes: Data(message), options: Self.reading) else {
                return nil
            }
            return try? decoded.jsonUTF8Bytes(options: Self.encoding)
        }
    }

    /// Ignoring unknown fields, SwiftProtobuf also ignores unknown names of enumerations, which are an error;
    /// so they are ignored only when there are some.
    private static func decode<Request: Message>(_: Request.Type, _ json: [UInt8]) throws -> Request {
        var options = decoding
        do {
            return try Request(jsonUTF8Bytes: json, options: options)
        } catch JSONDecodingError.unknownField {
            options.ignoreUnknownFields = true
            return try Request(jsonUTF8Bytes: json, options: options)
        }
    }

    private static let decoding: JSONDecodingOptions = {
        var options = JSONDecodingOptions()
        // Transactions may be nested as deep as they may have operations, two messages a level.
        options.messageDepthLimit = 512
        return options
    }()

    private static let reading: BinaryDecodingOptions = {
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = 512
        return options
    }()

    private static let encoding: JSONEncodingOptions = {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        return options
    }()
}
