// swift-tools-version: 6.1
import PackageDescription

// What the transport alone costs per call: an echo service for h2load to call. See measure.sh.
let package = Package(
    name: "transport-benchmark",
    dependencies: [
        .package(name: "synod", path: "../.."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .executableTarget(
            name: "EchoServer",
            dependencies: [
                .product(name: "GRPC", package: "synod"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ])
    ]
)
