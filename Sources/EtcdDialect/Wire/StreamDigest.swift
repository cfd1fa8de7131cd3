import CCrypto

/// The SHA-256 of a stream that is seen piece by piece, by the system's libcrypto.
final class StreamDigest {
    private let context = EVP_MD_CTX_new()

    init() { precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "libcrypto has no SHA-256") }

    deinit { EVP_MD_CTX_free(context) }

    func update(_ bytes: [UInt8]) { EVP_DigestUpdate(context, bytes, bytes.count) }

    /// The 32 bytes of the digest. Nothing may be added afterwards.
    func finalize() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &digest, nil)
        return digest
    }
}
