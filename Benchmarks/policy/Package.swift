// swift-tools-version: 6.2
import PackageDescription

/// The sources of the daemon are linked into this folder, so that the benchmark may use what is package-internal there.
let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "policy-bench",
    dependencies: [
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0")
    ],
    targets: [
        .target(
            name: "DNSWire", exclude: ["README.md"],
            swiftSettings: settings + [.enableExperimentalFeature("Lifetimes")]),
        .target(
            name: "FQDNPolicy", dependencies: ["DNSWire", .product(name: "Yams", package: "Yams")],
            exclude: ["README.md"], swiftSettings: settings),
        .target(name: "CAllocator"),
        .executableTarget(
            name: "PolicyBench", dependencies: ["CAllocator", "DNSWire", "FQDNPolicy"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
