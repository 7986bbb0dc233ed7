import Foundation
import Synchronization

/// The namespaces and links of the stage: pods, the node that forwards for them, and the outside world. Needs root.
///
/// ```
/// pod web-1 ─┐                                       ┌─ 10.64.0.0/10, fd09::/32: HTTP on every address
/// pod web-2 ─┤ node: dnsproxyd, nft-enforcer, ─ outside ─ 10.9.255.53: nsd
/// pod …     ─┘       forwarding                      └─ 169.254.169.254: HTTP, what must stay closed
/// ```
final class StageNetwork {
    /// Where all traffic of the pods passes.
    let node: Namespace
    /// Where names and addresses lead to.
    let outside: Namespace
    /// The clients.
    let pods: [Pod]

    /// The addresses on which the node answers queries.
    static let resolver4 = "10.8.255.53"
    /// The same in IPv6.
    static let resolver6 = "fd08:0:0:ff::53"
    /// The address of the authoritative server outside.
    static let nameserver = "10.9.255.53"
    /// The address of a cloud's metadata service, which no answer may open.
    static let metadata = "169.254.169.254"

    /// Creates everything; links are up and routes are in place when it returns.
    init() throws {
        try StageNetwork.removeLeftovers()
        let stage = StageNetwork.count.withLock { count in
            count += 1
            return count
        }
        let prefix = "\(StageNetwork.prefix)\(getpid())-\(stage)-"
        node = Namespace(name: prefix + "node")
        outside = Namespace(name: prefix + "outside")
        pods = Pod.all.enumerated().map { Pod(name: $1.name, app: $1.app, number: $0 + 1, prefix: prefix) }
        for namespace in [node, outside] + pods.map(\.namespace) { try namespace.create() }
        try connectOutside()
        for pod in pods { try connect(pod) }
        // Clients hear at once that no daemon listens, not one a second.
        try node.shell(
            """
            cd /proc/sys/net && echo 1 > ipv4/ip_forward && echo 1 > ipv6/conf/all/forwarding \
              && echo 0 > ipv4/icmp_ratelimit && echo 0 > ipv6/icmp/ratelimit
            """)
    }

    deinit {
        // The links go with the namespaces.
        for namespace in pods.map(\.namespace) + [outside, node] { namespace.remove() }
    }

    /// The pod called `name`.
    /// - Throws: `HarnessError` when there is none.
    func pod(_ name: String) throws -> Pod {
        guard let pod = pods.first(where: { $0.name == name }) else { throw HarnessError("no pod \(name)") }
        return pod
    }

    /// What all names of namespaces here begin with; the number of the test's process follows.
    private static let prefix = "dpx-e2e-"
    /// Stages so far: what is left of one must not meet the next.
    private static let count = Mutex(0)

    /// Links the node to the outside world, whose addresses are all local there.
    private func connectOutside() throws {
        try node.ip(
            """
            address add \(StageNetwork.resolver4)/32 dev lo
            address add \(StageNetwork.resolver6)/128 dev lo
            """)
        try link(254, to: outside, "outside", "node")
        try outside.ip(
            """
            address add \(StageNetwork.nameserver)/32 dev lo
            address add \(StageNetwork.metadata)/32 dev lo
            route add local 10.64.0.0/10 dev lo
            route add local fd09::/32 dev lo
            route add 10.8.0.0/16 via 10.8.254.1
            route add fd08::/32 via fd08:0:0:254::1
            """)
        try node.ip("route add default via 10.8.254.2\nroute add default via fd08:0:0:254::2")
    }

    /// Links a pod to the node and gives it a resolver: every second one asks over IPv6.
    private func connect(_ pod: Pod) throws {
        try link(pod.number, to: pod.namespace, pod.link, "eth0")
        try pod.namespace.ip(
            """
            route add default via 10.8.\(pod.number).1
            route add default via fd08:0:0:\(pod.number)::1
            """)
        // "search ." keeps this machine's domain out of it.
        let resolver = pod.number % 2 == 0 ? StageNetwork.resolver6 : StageNetwork.resolver4
        try pod.namespace.write(
            "resolv.conf", "nameserver \(resolver)\nsearch .\noptions timeout:2 attempts:2\n")
    }

    /// Links the node to `namespace`, with the addresses 10.8.`number`.1 and .2, and the same in IPv6. Each end knows
    /// the other's link-layer address, as with many a real network of pods: nothing may be late but by the firewall.
    private func link(_ number: Int, to namespace: Namespace, _ here: String, _ there: String) throws {
        let hardware = (1...2).map { "02:00:00:00:0\($0):\(String(256 + number, radix: 16).suffix(2))" }
        try node.ip(
            "link add \(here) address \(hardware[0]) type veth "
                + "peer name \(there) address \(hardware[1]) netns \(namespace.name)")
        for (place, device, own, other) in [(node, here, 0, 1), (namespace, there, 1, 0)] {
            try place.ip(
                """
                address add 10.8.\(number).\(own + 1)/24 dev \(device)
                address add fd08:0:0:\(number)::\(own + 1)/64 dev \(device) nodad
                link set \(device) up
                neighbour add 10.8.\(number).\(other + 1) lladdr \(hardware[other]) dev \(device) nud permanent
                neighbour add fd08:0:0:\(number)::\(other + 1) lladdr \(hardware[other]) dev \(device) nud permanent
                """)
        }
    }

    /// Removes the namespaces that a killed test has left behind; those of a running one stay.
    private static func removeLeftovers() throws {
        for line in try run(["ip", "netns", "list"]).lines where line.hasPrefix(prefix) {
            let name = String(line.prefix { $0 != " " })
            let process = name.dropFirst(prefix.count).prefix { $0.isNumber }
            guard let pid = pid_t(process), kill(pid, 0) != 0, errno == ESRCH else { continue }
            Namespace(name: name).remove()
        }
    }
}

/// A client on the stage.
struct Pod: Sendable {
    /// The name, which is that of an identity and a number.
    let name: String
    /// The label `app` of its identity; nil for a client that no document knows.
    let app: String?
    /// Its place, which its addresses are made of.
    let number: Int
    /// Where it lives.
    let namespace: Namespace

    /// Names and labels of all pods.
    fileprivate static let all: [(name: String, app: String?)] = [
        ("web-1", "web"), ("web-2", "web"), ("batch-1", "batch"), ("jobs-1", "jobs"), ("stranger", nil),
    ]

    /// A pod in a namespace of its own.
    fileprivate init(name: String, app: String?, number: Int, prefix: String) {
        self.name = name
        self.app = app
        self.number = number
        namespace = Namespace(name: prefix + name)
    }

    /// Its IPv4 address.
    var address4: String { "10.8.\(number).2" }
    /// Its IPv6 address.
    var address6: String { "fd08:0:0:\(number)::2" }
    /// The node's end of its link.
    var link: String { "pod-\(name)" }
}
