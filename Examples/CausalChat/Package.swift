// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "CausalChat",
    dependencies: [.package(name: "synod", path: "../..")],
    targets: [
        .executableTarget(
            name: "CausalChat",
            dependencies: [
                .product(name: "Automata", package: "synod"), .product(name: "Multicast", package: "synod"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ])
