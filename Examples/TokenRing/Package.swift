// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "TokenRing",
    dependencies: [.package(name: "synod", path: "../..")],
    targets: [
        .executableTarget(
            name: "TokenRing",
            dependencies: [
                .product(name: "Automata", package: "synod"),
                .product(name: "GlobalSnapshot", package: "synod"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)])
    ])
