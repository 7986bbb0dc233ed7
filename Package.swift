// swift-tools-version: 6.2
import Glibc
import PackageDescription

/// What every target is compiled with, but for the rule that a member is visible only where its module is imported. DNSProxy cannot follow
/// that one: the C structures of sockets are in several modules at once, and the compiler takes them for those of
/// one that cannot be imported.
let lenientImports: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// What our targets are compiled with: warnings are errors, and an unsafe construct has to say so.
let strict: [SwiftSetting] = lenientImports + [.enableUpcomingFeature("MemberImportVisibility")]

/// Whether the C library of this machine takes packed relocations, as glibc does since 2.36.
let packsRelocations: Bool = {
    var text = [CChar](repeating: 0, count: 64)
    let count = confstr(Int32(_CS_GNU_LIBC_VERSION), &text, text.count)
    let version = String(decoding: text.prefix(max(count, 1) - 1).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (version.split(separator: ".").last.flatMap { Int($0) } ?? 0) >= 36
}()

/// How the release build of the daemon is linked: with Swift's libraries in it, so that it runs where there is no
/// toolchain; with a linker that packs relocations; and without a table of all symbols for others. docs/PERFORMANCE.md has
/// what each of these saves. What Foundation is made of has to be named.
let withSwiftInside: [LinkerSetting] = {
    var flags = ["-static-stdlib", "-use-ld=lld", "-Xlinker", "--no-export-dynamic"]
    if packsRelocations { flags += ["-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"] }
    let release = BuildSettingCondition.when(platforms: [.linux], configuration: .release)
    return [.unsafeFlags(flags, release)]
        + ["CoreFoundation", "_FoundationICU", "_FoundationCShims", "_FoundationCollections"].map {
            .linkedLibrary($0, release)
        }
}()

let package = Package(
    name: "dnsproxyd",
    products: [
        .executable(name: "dnsproxyd", targets: ["dnsproxyd"]),
        .library(name: "MappingFeed", targets: ["MappingFeed"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CLDNS", pkgConfig: "ldns", providers: [.apt(["libldns-dev"])]),
        .target(name: "CLinux"),

        .target(
            name: "DNSWire", exclude: ["README.md"],
            // For one property that lends the bytes of a name as a span; nothing outside needs to know.
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
        .target(
            name: "FQDNPolicy",
            dependencies: ["DNSWire", .product(name: "Yams", package: "Yams")],
            exclude: ["README.md"],
            swiftSettings: strict),
        .target(
            name: "FQDNCache",
            dependencies: [
                "DNSWire", .product(name: "BasicContainers", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ],
            exclude: ["README.md"],
            swiftSettings: strict),
        .target(
            name: "MappingFeed",
            dependencies: [
                "DNSWire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            exclude: ["README.md"],
            swiftSettings: strict),
        .target(
            name: "DNSProxy",
            dependencies: [
                "CLDNS", "CLinux", "DNSWire", "FQDNCache", "FQDNPolicy", "MappingFeed",
                .product(name: "BasicContainers", package: "swift-collections"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            exclude: ["README.md"],
            resources: ["html", "css", "js", "svg"].map { .embedInCode("Admin/Page/page.\($0)") },
            swiftSettings: lenientImports),
        .executableTarget(
            name: "dnsproxyd",
            dependencies: [
                "DNSProxy", "DNSWire", "FQDNCache", "FQDNPolicy", "MappingFeed",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            exclude: ["README.md"],
            swiftSettings: strict, linkerSettings: withSwiftInside),

        .testTarget(name: "DNSWireTests", dependencies: ["DNSWire", "CLDNS"]),
        .testTarget(name: "FQDNPolicyTests", dependencies: ["FQDNPolicy", "DNSWire"]),
        .testTarget(name: "FQDNCacheTests", dependencies: ["FQDNCache", "DNSWire"]),
        .testTarget(
            name: "MappingFeedTests",
            dependencies: [
                "MappingFeed", "DNSWire", .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .testTarget(
            name: "DNSProxyTests",
            dependencies: [
                "DNSProxy", "DNSWire", "FQDNPolicy", "FQDNCache", "MappingFeed",
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .testTarget(name: "EndToEndTests", dependencies: ["DNSWire", "MappingFeed"]),
    ],
    swiftLanguageModes: [.v6]
)
