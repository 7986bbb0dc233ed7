// swift-tools-version: 6.2
import PackageDescription

/// The sources of the daemon are linked into this folder, so that the benchmark builds nothing but the cache.
let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "cache-bench",
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0")
    ],
    targets: [
        .target(
            name: "DNSWire", exclude: ["README.md"],
            swiftSettings: settings + [.enableExperimentalFeature("Lifetimes")]),
        .target(
            name: "FQDNCache",
            dependencies: [
                "DNSWire", .product(name: "BasicContainers", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ],
            exclude: ["README.md"], swiftSettings: settings),
        .executableTarget(name: "CacheBench", dependencies: ["DNSWire", "FQDNCache"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
