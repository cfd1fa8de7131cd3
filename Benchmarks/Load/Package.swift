// swift-tools-version: 6.1
import PackageDescription

// The load of `make bench` that h2load cannot give, since that sends the same bytes with every request: puts and
// ranges of many keys. See docs/benchmarks.md.

/// `SYNOD_STRICT=1` makes every warning an error.
let settings: [SwiftSetting] =
    [.swiftLanguageMode(.v6)]
    + (Context.environment["SYNOD_STRICT"] != nil ? [.unsafeFlags(["-warnings-as-errors"])] : [])

let package = Package(
    name: "load",
    products: [.executable(name: "load", targets: ["Load"])],
    targets: [.executableTarget(name: "Load", swiftSettings: settings)]
)
