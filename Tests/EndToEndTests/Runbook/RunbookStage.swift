import DNSWire
import Foundation
import MappingFeed

/// What the page speaks about: a node with a daemon, an upstream that knows `shop.example`, and what is wrong with them.
///
/// The page says `/etc/dnsproxyd`, port 53 and the like; `actual` and `documented` translate.
final class RunbookStage {
    /// What can be wrong.
    enum State: String, CaseIterable {
        /// Nothing: `api.shop.example` was asked for twice.
        case healthy
        /// The policy does not allow `ledger.shop.example`.
        case denied
        /// No `toFQDNs` selects `ledger.shop.example`, which may be asked for.
        case unlearned
        /// Answers wait for an enforcer, and none is connected.
        case unenforced
        /// An enforcer acknowledges nothing.
        case lagging
        /// An enforcer could not put a mapping in force.
        case rejected
        /// The first of two upstreams is silent.
        case silent
        /// No upstream answers, and an answer past its lifetime is there.
        case stale
        /// No upstream answers, and nothing is there.
        case dead
        /// The cache is too small for the answers.
        case crowded
        /// The disk of the journal is full.
        case full
        /// A policy document has an error.
        case broken
        /// A policy that denies what is needed, under audit.
        case audited
        /// Somebody else has the port.
        case taken
    }

    /// The daemon's files.
    private let workspace: Workspace
    /// The port that it answers at.
    private let port: Int
    /// The port of `/metrics`.
    private let metricsPort: Int
    /// The port of `/health` and `/ready`.
    private let healthPort: Int
    /// The daemon; nil where it does not start.
    private var daemon: Daemon?
    /// The upstream.
    private let nsd: NSD
    /// What stands before it.
    private let relay: Relay
    /// The enforcer.
    private var enforcer: FeedSubscriber?
    /// What has the port.
    private var taken: Socket?
    /// A folder that something is mounted at.
    private var mounted: String?

    /// Brings a daemon into `state`.
    init(_ state: State) throws {
        metricsPort = try Ports.free()
        healthPort = try Ports.free()
        nsd = try NSD(
            origin: "shop.example",
            zone: "api IN A 192.0.2.10\nledger IN A 203.0.113.40\nbrief 1 IN A 192.0.2.11\n"
                + (state == .crowded ? RunbookStage.manyRecords : "")
                + (state == .full ? (1...40).map { "n\($0) IN A 192.0.2.\($0)\n" }.joined() : ""))
        relay = try Relay(to: nsd.port)
        var setup = Setup(upstream: relay.port)
        setup.metricsPort = metricsPort
        setup.healthPort = healthPort
        setup.identities = """
              - {name: web, namespace: shop, labels: {app: web}, addresses: [10.244.1.17, 127.0.0.1]}
              - {name: batch, namespace: shop, labels: {app: batch}, addresses: [10.244.1.18, 127.0.0.2]}
            """
        setup.policies = [
            "web.yaml": Setup.policy("web", dns: ["*.shop.example"], learn: ["*.shop.example"]),
            "batch.yaml": Setup.policy("batch", dns: ["ledger.shop.example"], learn: ["ledger.shop.example"]),
        ]
        RunbookStage.adjust(&setup, to: state, upstream: nsd.port, silent: relay.port)
        guard state != .taken else {
            port = try Ports.free()
            workspace = try Workspace()
            _ = try setup.write(to: workspace, port: port)
            let endpoint = Endpoint("127.0.0.1", port)
            let socket = try endpoint.socket(SOCK_DGRAM)
            guard endpoint.bind(socket) else { throw HarnessError("port \(port) is taken") }
            taken = socket
            return
        }
        let daemon = try Daemon(setup)
        self.daemon = daemon
        port = daemon.port
        workspace = daemon.workspace
        try enter(state, daemon)
    }

    deinit {
        relay.stop()
        guard let mounted else { return }
        _ = try? daemon?.stop()
        _ = try? EndToEndTests.run(["umount", mounted])
    }

    /// A thousand names of some 1,000 bytes each.
    private static var manyRecords: String {
        let text = (1...4).map { _ in "\"\(String(repeating: "x", count: 230))\"" }.joined(separator: " ")
        return (1...1_400).map { "t\($0) IN TXT \(text)\n" }.joined()
    }

    /// What `state` needs in the documents.
    private static func adjust(_ setup: inout Setup, to state: State, upstream: Int, silent: Int) {
        switch state {
        case .denied, .audited:
            setup.policies["web.yaml"] = Setup.policy("web", dns: ["api.shop.example"], learn: ["api.shop.example"])
            if state == .audited { setup.extra = "enforcement: audit" }
        case .unlearned:
            setup.policies["web.yaml"] = Setup.policy("web", dns: ["*.shop.example"], learn: ["api.shop.example"])
        case .unenforced: setup.maxDelay = "100ms, requireEnforcer: true"
        case .rejected: setup.maxDelay = "10s"
        case .silent: setup.upstreams = [#"{servers: ["127.0.0.1:\#(silent)", "127.0.0.1:\#(upstream)"]}"#]
        case .crowded: setup.extra = "cache: {size: 1MiB}"
        case .healthy, .lagging, .stale, .dead, .full, .broken, .taken: break
        }
    }

    /// Does what has led to `state`.
    private func enter(_ state: State, _ daemon: Daemon) throws {
        switch state {
        case .healthy: for _ in 1...2 { _ = try daemon.dig("api.shop.example") }
        case .denied, .taken: break
        case .unlearned, .unenforced: _ = try daemon.dig("ledger.shop.example")
        case .audited: for name in ["api", "ledger"] { _ = try daemon.dig("\(name).shop.example") }
        case .lagging:
            try enforce(daemon)
            for name in ["api", "ledger"] { _ = try daemon.dig("\(name).shop.example") }
        case .rejected: try reject(daemon)
        case .silent:
            relay.swallow(true)
            for name in ["api", "ledger"] { _ = try daemon.dig("\(name).shop.example") }
            try eventually("nobody notices") { try daemon.status()?.upstreams.first?.isUp == false }
        case .stale:
            _ = try daemon.dig("brief.shop.example")
            usleep(1_300_000)
            relay.swallow(true)
            _ = try daemon.dig("brief.shop.example")
            try eventually("nobody notices") { try daemon.status()?.upstreams.first?.isUp == false }
        case .dead:
            relay.swallow(true)
            _ = try daemon.dig("api.shop.example +time=10")
        case .crowded:
            let client = try daemon.client()
            for number in 1...1_400 { _ = client.resolve("t\(number).shop.example", 16) }
        case .full: try fill(daemon)
        case .broken:
            try workspace.write("policies/web.yaml", Setup.policy("web").replacing("ports:", with: "prots:"))
            try eventually("the bad file is not noticed") { try daemon.status()?.policy.problems.isEmpty == false }
        }
    }

    /// Connects an enforcer that acknowledges the snapshot and nothing else.
    private func enforce(_ daemon: Daemon) throws {
        let enforcer = try FeedSubscriber(daemon.feedSocket, acknowledge: true)
        self.enforcer = enforcer
        try enforcer.waitForSnapshot()
        if let sequence = enforcer.arrivals.compactMap(\.event.sequence).last { enforcer.send(.ack(sequence)) }
        try eventually("the enforcer is not counted") { try daemon.status()?.feed.acknowledging == 1 }
    }

    /// Has an enforcer say that it could not do what it was told.
    private func reject(_ daemon: Daemon) throws {
        try enforce(daemon)
        guard let enforcer else { return }
        let client = try daemon.client()
        client.ask("api.shop.example")
        let (upsert, _) = try enforcer.waitForUpsert("api.shop.example.")
        enforcer.send(.nack(FeedRejection(sequence: upsert.sequence, error: "no room in the set")))
        enforcer.send(.ack(upsert.sequence))
        _ = client.answer()
        try eventually("nobody notices") { try daemon.counter("hold_rejections") == 1 }
    }

    /// Puts the journal on a file system of its own, and fills that.
    private func fill(_ daemon: Daemon) throws {
        let folder = workspace.file("journal")
        _ = try daemon.stop()
        let mount = try EndToEndTests.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder])
        guard mount.status == 0 else { throw HarnessError("cannot mount a small disk: \(mount.errors)") }
        mounted = folder
        try daemon.restart()
        _ = try EndToEndTests.run(["dd", "if=/dev/zero", "of=\(folder)/other", "bs=1k"])
        // The page that the journal ends in has room for some more.
        let client = try daemon.client()
        for number in 1...40 { _ = client.resolve("n\(number).shop.example") }
        try eventually("nobody notices") { try daemon.counter("hold_timeouts") > 0 }
    }
}

extension RunbookStage {
    /// Runs a line of shell as somebody on the node would, and returns what is on the terminal, in the page's words.
    func run(_ command: String) throws -> Completed {
        let bin = (Daemon.program as NSString).deletingLastPathComponent
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        var line = command
        for (documented, actual) in places { line = line.replacing(documented, with: actual) }
        let result = try EndToEndTests.run(
            ["bash", "-c", "exec 2>&1\n\(line)"],
            environment: [
                "PATH": "\(bin):\(path):/usr/sbin:/sbin", "DNSPROXYD_ADMIN": workspace.file("admin.sock"),
                "HOME": workspace.path,
            ])
        var output = result.output
        for (documented, actual) in words { output = output.replacing(actual, with: documented) }
        return Completed(status: result.status, output: output, errors: result.errors)
    }

    /// What a command says on the page, and what it has to say here.
    private var places: [(String, String)] {
        [
            ("/var/lib/dnsproxyd", workspace.file("journal")), ("/etc/dnsproxyd/", "\(workspace.path)/"),
            ("/run/dnsproxyd/", "\(workspace.path)/"), ("@169.254.20.10", "@127.0.0.1 -p \(port) -r"),
            ("127.0.0.1:9253", "127.0.0.1:\(metricsPort)"), ("127.0.0.1:8080", "127.0.0.1:\(healthPort)"),
            ("sport = :53", "sport = :\(port)"),
        ]
    }

    /// What is printed on the page, and what is printed here.
    private var words: [(String, String)] {
        [
            ("169.254.20.10:53", "127.0.0.1:\(port)"), ("10.96.0.10:53", "127.0.0.1:\(relay.port)"),
            ("10.96.0.11:53", "127.0.0.1:\(nsd.port)"), ("/var/lib/dnsproxyd", workspace.file("journal")),
            ("/run/dnsproxyd/feed.sock", workspace.file("feed.sock")),
            ("/run/dnsproxyd/admin.sock", workspace.file("admin.sock")), ("/etc/dnsproxyd", workspace.path),
        ]
    }
}
