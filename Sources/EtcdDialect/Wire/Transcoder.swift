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
    ///
    /// It takes bytes only in base64 without escapes and line breaks, which encoders made for mail put in.
    private static func decode<Request: Message>(_: Request.Type, _ json: [UInt8]) throws -> Request {
        var json = json
        var options = decoding
        while true {
            do {
                return try Request(jsonUTF8Bytes: json, options: options)
            } catch JSONDecodingError.unknownField where !options.ignoreUnknownFields {
                options.ignoreUnknownFields = true
            } catch JSONDecodingError.malformedString {
                let plain = withoutEscapes(json)
                if plain == json { throw JSONDecodingError.malformedString }
                json = plain
            }
        }
    }

    /// The same text with its escaped line breaks left out, and with letters, digits, `+`, `/` and `=` in place
    /// of their escapes.
    private static func withoutEscapes(_ json: [UInt8]) -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(json.count)
        var rest = json[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                plain.append(byte)
                continue
            }
            if escape == UInt8(ascii: "n") || escape == UInt8(ascii: "r") { continue }
            if escape == UInt8(ascii: "u"),
                let code = UInt8(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16),
                isBase64(code)
            {
                plain.append(code)
                rest = rest.dropFirst(4)
            } else {
                plain += [byte, escape]
            }
        }
        return plain
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
            true
        default: false
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
