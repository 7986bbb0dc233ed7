import Foundation

/// All that the proof needs, set up and working together: the network, the world outside, the daemon on the node and
/// the enforcer beside it.
final class Stage {
    /// Namespaces and links.
    let network: StageNetwork
    /// HTTP and names.
    let outside: Outside
    /// The daemon, on the node.
    let daemon: Daemon
    /// The enforcer, on the node.
    let enforcer: Enforcer
    /// Which addresses the names of `NamePlan` have.
    let generations: Generations
    /// Names that each owner of `NamePlan` has.
    private let nameCount: Int
    /// When the names get other addresses again.
    private var nextTurn = ContinuousClock.now
    /// How long names keep their addresses.
    private static let turn = Duration.seconds(2)

    /// Sets up a stage with `nameCount` names for each owner of `NamePlan`, or with the records of `zone`; returns when
    /// rules are in force. `maxDelay` and `grace` are seconds; so is `inUse`, the time between reports of live
    /// connections, 0 for none.
    init(
        nameCount: Int = 0, zone: String? = nil, policies: [String: String] = Stage.policies, maxDelay: Int = 5,
        grace: Int = 1, inUse: Int = 0
    ) throws {
        self.nameCount = nameCount
        generations = Generations()
        network = try StageNetwork()
        try PacketCounters.install(on: network)
        outside = try Outside(
            in: network.outside, zone: zone ?? NamePlan.zone(generation: 0, count: nameCount))
        var setup = Setup()
        setup.listen = [StageNetwork.resolver4, StageNetwork.resolver6]
        // resolv.conf knows no ports.
        setup.port = 53
        setup.upstreams = [#"{servers: ["\#(StageNetwork.nameserver)"]}"#]
        // An answer never leaves before its mapping is in force, however long that takes on a loaded machine.
        setup.maxDelay = "\(maxDelay)s, onDelay: servfail, requireEnforcer: true"
        setup.policies = policies
        setup.identities = Stage.identities(network.pods)
        // A stale answer would rightly keep an address open for longer than the proof waits for its end.
        setup.extra = "learning: {grace: \(grace)s}\ncache: {serveStale: 0s}\nlog: {level: notice}"
        daemon = try Daemon(setup, in: network.node)
        enforcer = try Enforcer(in: network.node, socket: daemon.feedSocket, inUse: inUse)
        try waitForEnforcer()
    }

    /// One identity for each label `app`, as replicas have it.
    private static func identities(_ pods: [Pod]) -> String {
        pods.compactMap { pod in
            pod.app.map {
                """
                  - {name: \(pod.name), namespace: shop, labels: {app: \($0)}, \
                addresses: [\(pod.address4), "\(pod.address6)"]}
                """
            }
        }.joined(separator: "\n")
    }

    /// Every identity may have its own names and those that all share, on port 80.
    static let policies = ["web", "batch", "jobs"].reduce(into: [:]) { documents, app in
        documents["\(app).yaml"] = policy(app, [NamePlan.pattern(app), NamePlan.pattern(NamePlan.shared)])
    }

    /// A policy by which pods of `app` may look up the names that `patterns` select, and connect to their port 80.
    static func policy(_ app: String, _ patterns: [String]) -> String {
        Setup.policy(app, dns: patterns, learn: patterns, port: 80)
    }

    /// Waits until answers wait for the enforcer, and its rules are in the kernel.
    func waitForEnforcer() throws {
        try eventually("the enforcer does not take part: \(enforcer.process.output) \(enforcer.process.errors)") {
            if let status = enforcer.process.poll() {
                throw HarnessError("the enforcer ended with \(status): \(enforcer.process.errors)")
            }
            return try daemon.status()?.feed.acknowledging == 1 && rules().contains("hook forward")
        }
    }

    /// The rules of the enforcer as `nft` prints them; empty when there are none.
    func rules() throws -> String {
        try network.node.execute(["nft", "list", "table", "inet", "dnsproxyd"]).output
    }

    /// What the node has counted so far.
    func packets() throws -> PacketCounters { try PacketCounters.read(from: network.node) }

    /// The pod called `name`.
    func pod(_ name: String) throws -> Pod { try network.pod(name) }

    /// Waits until `condition` holds; every two seconds meanwhile all names get other addresses.
    /// - Throws: `HarnessError` that names `what` when it does not within `limit`.
    func turn(
        until what: @autoclosure () -> String, within limit: Duration = .seconds(60), _ condition: () throws -> Bool
    ) throws {
        try eventually(what(), within: limit) {
            if .now >= nextTurn {
                let generation = generations.current + 1
                try outside.nameserver.replace(zone: NamePlan.zone(generation: generation, count: nameCount))
                generations.advance()
                nextTurn = .now + Stage.turn
            }
            return try condition()
        }
    }

    /// What the processes have logged, for the reader of a failed test.
    var logs: String {
        "dnsproxyd: \(daemon.process.errors)\nnft-enforcer: \(enforcer.process.output) \(enforcer.process.errors)"
    }
}
