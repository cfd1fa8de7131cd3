let noTLS = "TLS is not supported yet"
let noCertificates = "TLS is not supported yet, and certificates are refused"
let noSecondAPI = "the second API is not offered"
let noDiscovery = "there is no discovery"
let laterDiscovery = "discovery is not supported yet: name the members in --initial-cluster"
let ownLimits = "connections between members are watched within the election timeout"
let later = "not supported yet"

/// Every flag that `synod serve` knows, in the order of its help.
///
/// The names, defaults and meanings are etcd's, of 3.4 to 3.7 with those that a later version has dropped, so that
/// every command line and every file that started an etcd starts a Synod. What etcd accepts and Synod has no use for
/// is accepted when that is harmless and refused when to ignore it would be unsafe; each such row says why.
let serverFlags: [ServerFlag] = memberFlags + clusterFlags + securityFlags + observationFlags + featureFlags
