import Foundation

/// A network namespace with one link to this one and its own resolv.conf; gone with its last owner. Needs root.
final class NetworkNamespace {
    /// Whether this process may create one.
    static let isAvailable: Bool = {
        guard geteuid() == 0, let result = try? run(["ip", "netns", "add", "dnsproxyd-probe"]) else { return false }
        _ = try? run(["ip", "netns", "delete", "dnsproxyd-probe"])
        return result.status == 0
    }()

    /// Our end of the link: where the daemon listens.
    let hostAddress: String
    /// The other end: where clients ask from.
    let clientAddress: String
    /// The namespace itself.
    let inside: Namespace

    /// Creates a namespace whose resolver asks `hostAddress`.
    init() throws {
        let number = Int.random(in: 0..<250)
        let name = "dnsproxyd-\(getpid())-\(number)"
        inside = Namespace(name: name)
        // The block for benchmarks (RFC 2544): no machine has a route to it that would be hidden.
        hostAddress = "198.18.\(number).1"
        clientAddress = "198.18.\(number).2"
        try inside.write("resolv.conf", "nameserver \(hostAddress)\noptions timeout:2 attempts:2\n")
        let link = "dpx\(number)"
        for command in [
            "netns add \(name)", "link add \(link)h type veth peer name \(link)c netns \(name)",
            "address add \(hostAddress)/30 dev \(link)h", "link set \(link)h up",
            "-n \(name) address add \(clientAddress)/30 dev \(link)c", "-n \(name) link set \(link)c up",
            "-n \(name) link set lo up",
        ] {
            let result = try run(["ip"] + command.split(separator: " ").map(String.init))
            guard result.status == 0 else { throw HarnessError("ip \(command): \(result.errors)") }
        }
    }

    deinit {
        inside.remove()
    }

    /// Writes the resolv.conf that is seen inside, in place, as DHCP clients may do it.
    func writeResolvConf(_ text: String) throws {
        try inside.write("resolv.conf", text)
    }

    /// Runs `command` inside.
    func execute(_ command: [String]) throws -> Completed {
        try inside.execute(command)
    }
}
