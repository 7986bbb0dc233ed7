// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "feed-bench",
    dependencies: [
        .package(name: "dnsproxyd", path: "../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    ],
    targets: [
        .executableTarget(
            name: "feed-bench",
            dependencies: [
                .product(name: "MappingFeed", package: "dnsproxyd"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
