import Foundation

/// A real authoritative server behind the daemon, on 127.0.0.1 and ::1, with a zone that the test writes.
final class NSD {
    /// Its port on both addresses.
    let port: Int
    /// Its files.
    private let workspace: Workspace
    /// The server.
    private let process: RunningProcess

    /// Serves `zone` as `origin` until the last owner is gone; returns when it answers.
    ///
    /// SOA and NS records and the TTL of 300 seconds are in place already. The port is `port`, or any that is free.
    init(origin: String = "test.example", zone: String, port: Int? = nil) throws {
        let port = try port ?? Ports.free()
        self.port = port
        workspace = try Workspace()
        try workspace.write(
            "zone",
            """
            $ORIGIN \(origin).
            $TTL 300
            @ IN SOA ns hostmaster ( 1 3600 600 86400 60 )
            @ IN NS ns
            ns IN A 192.0.2.253
            \(zone)

            """)
        let addresses = (Ports.hasIPv6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"])
            .map { "ip-address: \($0)@\(port)" }.joined(separator: "\n  ")
        // Debian's nsd limits responses per second by default; the tests ask faster than that.
        let configuration = try workspace.write(
            "nsd.conf",
            """
            server:
              \(addresses)
              username: ""
              chroot: ""
              zonesdir: "\(workspace.path)"
              database: ""
              pidfile: "\(workspace.file("nsd.pid"))"
              zonelistfile: "\(workspace.file("zone.list"))"
              xfrdfile: "\(workspace.file("xfrd.state"))"
              xfrdir: "\(workspace.path)"
              server-count: 1
              rrl-ratelimit: 0
            remote-control:
              control-enable: no
            zone:
              name: \(origin)
              zonefile: zone

            """)
        process = try RunningProcess(["nsd", "-d", "-c", configuration])
        let client = try DNSClient(port: port)
        try eventually("nsd does not answer: \(process.errors)") {
            client.resolve(origin, 6, within: .milliseconds(50)) != nil
        }
    }

    deinit {
        // Not SIGKILL: its worker processes leave with it only when it may tell them.
        process.signal(SIGTERM)
        _ = try? process.wait()
    }
}
