import Foundation

/// A real authoritative server behind the daemon, with a zone that the test writes and may write again.
final class NSD {
    /// Its port on all its addresses.
    let port: Int
    /// The zone that it serves.
    private let origin: String
    /// The serial number of the zone's text.
    private var serial = 1
    /// Its address in the namespace where it runs; nil for 127.0.0.1 and ::1 in ours.
    private let place: (namespace: Namespace, address: String)?
    /// Its files.
    private let workspace: Workspace
    /// The server.
    private let process: RunningProcess

    /// Serves `zone` as `origin` until the last owner is gone; returns when it answers.
    ///
    /// SOA and NS records and the TTL of 300 seconds are in place already. The port is `port`, or any that is free.
    /// It runs on 127.0.0.1 and ::1, or at `place`.
    init(
        origin: String = "test.example", zone: String, port: Int? = nil,
        at place: (namespace: Namespace, address: String)? = nil
    ) throws {
        let port = try port ?? Ports.free()
        self.port = port
        self.origin = origin
        self.place = place
        workspace = try Workspace()
        try NSD.write(zone, of: origin, serial: serial, to: workspace)
        let addresses = (place.map { [$0.address] } ?? (Ports.hasIPv6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"]))
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
        let command = ["nsd", "-d", "-c", configuration]
        process = try RunningProcess(place?.namespace.command(command) ?? command)
        try waitForSerial()
    }

    deinit {
        // Not SIGKILL: its worker processes leave with it only when it may tell them.
        process.signal(SIGTERM)
        _ = try? process.wait()
    }

    /// Serves another text of the zone; returns when it is what the server answers from.
    func replace(zone: String) throws {
        serial += 1
        try NSD.write(zone, of: origin, serial: serial, to: workspace)
        process.signal(SIGHUP)
        try waitForSerial()
    }

    /// Waits until the server answers from the text that was written last.
    private func waitForSerial() throws {
        try eventually("nsd does not answer with serial \(serial): \(process.errors)") {
            if let status = process.poll() { throw HarnessError("nsd ended with \(status): \(process.errors)") }
            let question = ["dig", "-r", "+short", "+tries=1", "+time=1", "-p", "\(port)", origin, "SOA"]
            guard let place else { return try answers(question + ["@127.0.0.1"]) }
            return try answers(place.namespace.command(question + ["@\(place.address)"]))
        }
    }

    /// Whether `dig` prints a SOA record with our serial number.
    private func answers(_ dig: [String]) throws -> Bool {
        let fields = try run(dig).output.split(separator: " ")
        return fields.count == 7 && Int(fields[2]) == serial
    }

    /// Writes the zone file.
    private static func write(_ zone: String, of origin: String, serial: Int, to workspace: Workspace) throws {
        try workspace.write(
            "zone",
            """
            $ORIGIN \(origin).
            $TTL 300
            @ IN SOA ns hostmaster ( \(serial) 3600 600 86400 60 )
            @ IN NS ns
            ns IN A 192.0.2.253
            \(zone)

            """)
    }
}
