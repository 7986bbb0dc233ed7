import Foundation
import Testing

/// A node with a client on one side and a server on the other, each in a network namespace of its own. Needs root.
///
/// The client is 10.77.1.2 and fd77:1::2; the server has all of 10.77.2.0/24 and fd77:2::/64.
final class Node: Sendable {
    /// What the names of the namespaces begin with.
    private let prefix: String

    /// Whether the process may make namespaces.
    static var isPossible: Bool { geteuid() == 0 }

    /// The program under test, which is built beside the tests.
    static let program =
        URL(fileURLWithPath: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/")
        .deletingLastPathComponent().appendingPathComponent("nft-enforcer").path

    /// Makes the namespaces and the links between them.
    init() throws {
        prefix = "nfe\(getpid())-\(UInt16.random(in: 0...9_999))"
        for place in [Place.client, .node, .server] {
            try shell("ip netns add \(name(place)) && ip -n \(name(place)) link set lo up")
            try shell(
                "ip netns exec \(name(place)) sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0"
            )
        }
        let (client, node, server) = (name(.client), name(.node), name(.server))
        try shell(
            """
            ip -n \(node) link add c type veth peer name eth0 netns \(client)
            ip -n \(node) link add s type veth peer name eth0 netns \(server)
            ip netns exec \(node) sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
            ip -n \(node) addr add 10.77.1.1/24 dev c && ip -n \(node) addr add fd77:1::1/64 dev c nodad
            ip -n \(node) addr add 10.77.3.1/24 dev s && ip -n \(node) addr add fd77:3::1/64 dev s nodad
            ip -n \(client) addr add 10.77.1.2/24 dev eth0 && ip -n \(client) addr add fd77:1::2/64 dev eth0 nodad
            ip -n \(server) addr add 10.77.3.2/24 dev eth0 && ip -n \(server) addr add fd77:3::2/64 dev eth0 nodad
            for link in c s; do ip -n \(node) link set $link up; done
            ip -n \(client) link set eth0 up; ip -n \(server) link set eth0 up
            ip -n \(client) route add default via 10.77.1.1; ip -n \(client) route add default via fd77:1::1
            ip -n \(server) route add default via 10.77.3.1; ip -n \(server) route add default via fd77:3::1
            ip -n \(server) route add local 10.77.2.0/24 dev lo; ip -n \(server) route add local fd77:2::/64 dev lo
            ip -n \(node) route add 10.77.2.0/24 via 10.77.3.2; ip -n \(node) route add fd77:2::/64 via fd77:3::2
            """)
    }

    /// Removes the namespaces.
    deinit {
        for place in [Place.client, .node, .server] { try? shell("ip netns delete \(name(place))") }
    }

    /// The namespaces.
    enum Place: String {
        /// Where connections begin.
        case client
        /// Where they are forwarded, and filtered.
        case node
        /// Where they end.
        case server
    }

    /// The name of a namespace.
    func name(_ place: Place) -> String { "\(prefix)-\(place.rawValue)" }

    /// Runs a program in a namespace to its end, and returns its status and what it printed.
    func run(_ place: Place, _ command: String...) throws -> (status: Int32, output: String) {
        try execute(["ip", "netns", "exec", name(place)] + command)
    }

    /// Starts a program in a namespace.
    func start(_ place: Place, _ command: String...) throws -> Child {
        try Child(["ip", "netns", "exec", name(place)] + command)
    }

    /// Starts the enforcer on the node.
    func enforcer(_ stage: FeedStage, _ options: String...) throws -> Child {
        try Child(
            ["ip", "netns", "exec", name(.node), Node.program, "run", "--socket", stage.socket] + options)
    }

    /// The table as `nft` lists it in JSON.
    func table() throws -> Listing { try #require(try tableIfThere()) }

    /// The same; nil when there is none.
    func tableIfThere() throws -> Listing? {
        let (status, output) = try run(.node, "nft", "-j", "list", "table", "inet", "dnsproxyd")
        return status == 0 ? try JSONDecoder().decode(Listing.self, from: Data(output.utf8)) : nil
    }

    /// Whether a TCP connection from the client to an address and port is made within 0.7 s, before a second attempt.
    func connects(_ address: String, _ port: Int = 80) throws -> Bool {
        let code = "import socket; socket.create_connection(('\(address)', \(port)), 0.7).close()"
        return try run(.client, "python3", "-c", code).status == 0
    }

    /// Accepts TCP connections to every address and to `port` on the server, and sends each a byte.
    func serve(_ port: Int = 80) throws -> Child {
        let code = """
            import socket, threading
            s = socket.create_server(('::', \(port)), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
            keep = []
            print('ready', flush=True)
            while True:
                c, _ = s.accept()
                c.sendall(b'x')
                keep.append(c)
            """
        let child = try start(.server, "python3", "-c", code)
        try child.waits(for: "ready")
        return child
    }
}

/// A program that runs beside the tests; what it prints goes to a file.
final class Child: @unchecked Sendable {
    /// The program.
    private let process = Process()
    /// Where its output goes.
    private let path = NSTemporaryDirectory() + "/nfe-" + UUID().uuidString

    /// Starts a program.
    init(_ command: [String]) throws {
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try #require(FileHandle(forWritingAtPath: path))
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        process.standardOutput = file
        process.standardError = file
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    /// Ends the program if it still runs.
    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// What it printed so far.
    var output: String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    /// Waits until it printed `text`, or it ended.
    func waits(for text: String) throws {
        while !output.contains(text) {
            try #require(process.isRunning, "\(output)")
            usleep(5_000)
        }
    }

    /// Sends a signal and waits for the end; returns the exit status. Children inherit that most signals are blocked, and
    /// not every program undoes it: those that do nothing about SIGTERM need SIGKILL.
    @discardableResult
    func end(_ signal: Int32 = SIGTERM) -> Int32 {
        kill(process.processIdentifier, signal)
        return status
    }

    /// Waits for the end; the exit status.
    var status: Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// What `nft -j list table` prints, as far as the tests look at it.
struct Listing: Decodable {
    /// The parts.
    var nftables: [Entry]

    /// One part.
    struct Entry: Decodable {
        /// A chain.
        var chain: Object?
        /// A set.
        var set: Object?
        /// A map.
        var map: Object?
        /// A rule.
        var rule: Rule?
    }

    /// A rule.
    struct Rule: Decodable {
        /// The chain that it is in.
        var chain: String
    }

    /// A chain, a set or a map.
    struct Object: Decodable {
        /// Its name.
        var name: String
        /// Its number, which another one of the same name does not have.
        var handle: Int
    }

    /// How many rules each chain has.
    var rules: [String: Int] { nftables.compactMap(\.rule).reduce(into: [:]) { $0[$1.chain, default: 0] += 1 } }
    /// Names of sets.
    var sets: [String] { nftables.compactMap(\.set?.name).sorted() }
    /// Chains with their numbers.
    var chains: [String: Int] {
        Dictionary(nftables.compactMap(\.chain).map { ($0.name, $0.handle) }) { first, _ in first }
    }
}

/// Runs a program to its end.
func execute(_ command: [String]) throws -> (status: Int32, output: String) {
    let child = try Child(command)
    return (child.status, child.output)
}

/// Runs lines of shell.
func shell(_ lines: String) throws {
    let (status, output) = try execute(["bash", "-ec", lines])
    try #require(status == 0, "\(lines): \(output)")
}
