// swift-tools-version: 6.2
import PackageDescription

/// What makes a module tell libFuzzer where it goes, and AddressSanitizer what it touches.
let sanitizers = ["-sanitize=fuzzer,address"]

/// What the modules of the project are compiled with here; the first part is that of the main package.
let instrumented: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    // The fuzz targets look at what is internal, as unit tests do.
    .unsafeFlags(sanitizers + ["-enable-testing"]),
]

/// The linker that understands what the sanitizers emit; gold does not.
let linked: [LinkerSetting] = [.unsafeFlags(sanitizers + ["-use-ld=lld"])]

/// The fuzz targets: what each needs beside DNSWire.
let targets: [(name: String, dependencies: [Target.Dependency])] = [
    ("FuzzMessage", []), ("FuzzName", []), ("FuzzBuilder", []), ("FuzzScrubber", []),
    ("FuzzPolicy", ["FQDNPolicy"]), ("FuzzFeed", ["MappingFeed"]),
]

let package = Package(
    name: "dnsproxyd-fuzz",
    dependencies: [.package(url: "https://github.com/jpsim/Yams", from: "6.2.0")],
    targets: [
        // The modules under test are links to those of the main package.
        .target(name: "DNSWire", exclude: ["README.md"], swiftSettings: instrumented),
        .target(
            name: "FQDNPolicy", dependencies: ["DNSWire", .product(name: "Yams", package: "Yams")],
            exclude: ["README.md"], swiftSettings: instrumented),
        // Only the codec: what does I/O is not for a fuzzer, and would bring SwiftNIO along.
        .target(
            name: "MappingFeed", dependencies: ["DNSWire"],
            exclude: ["README.md", "Client", "Hub", "Journal", "Codec/LineBuffer.swift"], swiftSettings: instrumented),
        .target(name: "LibFuzzer"),
        .target(name: "Fuzzing", dependencies: ["LibFuzzer", "DNSWire"], swiftSettings: instrumented),
        .executableTarget(
            name: "MakeCorpus", dependencies: ["DNSWire", "MappingFeed"], swiftSettings: instrumented,
            linkerSettings: linked),
    ]
        + targets.map {
            .executableTarget(
                name: $0.name, dependencies: ["DNSWire", "Fuzzing"] + $0.dependencies, swiftSettings: instrumented,
                linkerSettings: linked)
        },
    swiftLanguageModes: [.v6]
)
