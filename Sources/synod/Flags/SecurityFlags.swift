/// Certificates, users, and who may ask. What asks for protection that there is not is refused.
let securityFlags: [ServerFlag] = [
    ServerFlag(
        name: "cert-file", section: .security, kind: .text, standard: "",
        help: "Path to the server's certificate.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "key-file", section: .security, kind: .text, standard: "",
        help: "Path to the server's key.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "client-cert-auth", section: .security, kind: .bool, standard: "false",
        help: "Ask clients for certificates.", standing: .refused(unless: ["false"], because: noTLS)),
    ServerFlag(
        name: "client-cert-file", section: .security, kind: .text, standard: "",
        help: "Certificate with which the server calls itself when clients must have one.",
        standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "client-key-file", section: .security, kind: .text, standard: "",
        help: "Key of that certificate.",
        standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "client-crl-file", section: .security, kind: .text, standard: "",
        help: "Path to revoked client certificates.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "client-cert-allowed-hostname", section: .security, kind: .text, standard: "",
        help: "Allowed host name in client certificates.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "trusted-ca-file", section: .security, kind: .text, standard: "",
        help: "Path to the authorities that sign client certificates.",
        standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "auto-tls", section: .security, kind: .bool, standard: "false",
        help: "Make a certificate for clients.", standing: .refused(unless: ["false"], because: noTLS)),
    ServerFlag(
        name: "peer-cert-file", section: .security, kind: .text, standard: "",
        help: "Path to this member's certificate.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-key-file", section: .security, kind: .text, standard: "",
        help: "Path to this member's key.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-client-cert-auth", section: .security, kind: .bool, standard: "false",
        help: "Ask peers for certificates.", standing: .refused(unless: ["false"], because: noTLS)),
    ServerFlag(
        name: "peer-client-cert-file", section: .security, kind: .text, standard: "",
        help: "Certificate with which this member calls others, where it is another.",
        standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-client-key-file", section: .security, kind: .text, standard: "",
        help: "Key of that certificate.",
        standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-trusted-ca-file", section: .security, kind: .text, standard: "",
        help: "Path to the authorities that sign peer certificates.",
        standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-cert-allowed-cn", section: .security, kind: .text, standard: "",
        help: "Required common name in peer certificates.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-cert-allowed-hostname", section: .security, kind: .text, standard: "",
        help: "Allowed host name in peer certificates.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "peer-auto-tls", section: .security, kind: .bool, standard: "false",
        help: "Make a certificate for peers.", standing: .refused(unless: ["false"], because: noTLS)),
    ServerFlag(
        name: "peer-crl-file", section: .security, kind: .text, standard: "",
        help: "Path to revoked peer certificates.", standing: .refused(unless: [""], because: noTLS)),
    ServerFlag(
        name: "self-signed-cert-validity", section: .security, kind: .unsigned, standard: "1",
        help: "Years for which certificates that the server makes itself are valid.",
        standing: .accepted(because: noCertificates)),
    ServerFlag(
        name: "peer-skip-client-san-verification", section: .security, kind: .bool, standard: "false",
        help: "Do not look at the names in peer certificates.",
        standing: .refused(unless: ["false"], because: noTLS),
        aliases: ["experimental-peer-skip-client-san-verification"]),
    ServerFlag(
        name: "cipher-suites", section: .security, kind: .text, standard: "",
        help: "Supported TLS cipher suites.", standing: .accepted(because: noCertificates)),
    ServerFlag(
        name: "tls-min-version", section: .security, kind: .text, standard: "TLS1.2",
        help: "Lowest TLS version.", standing: .accepted(because: noCertificates)),
    ServerFlag(
        name: "tls-max-version", section: .security, kind: .text, standard: "",
        help: "Highest TLS version.", standing: .accepted(because: noCertificates)),
    ServerFlag(
        name: "cors", section: .security, kind: .text, standard: "*",
        help: "Origins that browsers may send requests from.",
        standing: .refused(unless: ["*", ""], because: "a list of origins is \(later)")),
    ServerFlag(
        name: "host-whitelist", section: .security, kind: .text, standard: "*",
        help: "Host names that HTTP requests may carry.",
        standing: .refused(unless: ["*", ""], because: "a list of host names is \(later)")),
    ServerFlag(
        name: "auth-token", section: .auth, kind: .text, standard: "simple",
        help: "Kind of authentication token.",
        standing: .refused(unless: ["simple", ""], because: "users and tokens are \(later)")),
    ServerFlag(
        name: "auth-token-ttl", section: .auth, kind: .unsigned, standard: "300",
        help: "Seconds that a token lasts.",
        standing: .accepted(because: "authentication cannot be enabled yet")),
    ServerFlag(
        name: "bcrypt-cost", section: .auth, kind: .unsigned, standard: "10",
        help: "Cost of hashing a password.",
        standing: .accepted(because: "authentication cannot be enabled yet")),
]
