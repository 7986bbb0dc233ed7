import Foundation

/// What curl says about one request.
struct Transfer: Sendable {
    /// What was asked for.
    let url: String
    /// curl's exit status for it: 0 done, 6 the name was not resolved, 7 refused, 28 no answer in time.
    let status: Int
    /// Seconds that the lookup took; 0 when it did not end.
    let lookup: Double
    /// Seconds from the answer to the lookup until the connection stood.
    let connecting: Double
    /// The address that it was connected to; empty without a connection.
    let address: String

    /// Whether it has an answer.
    var isDone: Bool { status == 0 }
    /// Whether the resolver gave no address, or not in time, so that no connection was tried.
    var hasNoAddress: Bool { status == 6 || status == 28 && lookup == 0 }
    /// Whether packets to an address vanished.
    var isDropped: Bool { status == 28 && !hasNoAddress }
}

extension Pod {
    /// Source ports of connections that must not pass, so that the counters on the node tell them from all others;
    /// the kernel hands out lower ones.
    static let probePorts = 61_000...65_000

    /// Fetches `urls` with one curl, `parallel` at a time, each with a connection of its own.
    ///
    /// A probe leaves from `probePorts`. What is not connected after `patience` seconds, lookup included, is given up:
    /// less than a second shows that the first packet was not let through, the default waits for several repetitions.
    func fetch(
        _ urls: [String], parallel: Int = 1, isProbe: Bool = false, patience: Double = 20
    ) throws -> [Transfer] {
        let workspace = try Workspace()
        var lines = [
            "silent", "fail", "parallel", "parallel-immediate", "parallel-max = \(parallel)",
            "connect-timeout = \(patience)", "max-time = 40",
            #"write-out = "%{exitcode} %{time_namelookup} %{time_connect} %{remote_ip} %{url}\n""#,
        ]
        // curl takes the next free port of the range, one after the other: begin somewhere.
        let first = Int.random(in: Pod.probePorts.lowerBound..<Pod.probePorts.upperBound - 1_000)
        if isProbe { lines.append("local-port = \(first)-\(first + 1_000)") }
        for url in urls { lines += [#"url = "\#(url)""#, #"output = "/dev/null""#] }
        let file = try workspace.write("curlrc", lines.joined(separator: "\n") + "\n")
        let result = try namespace.execute(["curl", "-q", "-K", file], within: .seconds(90))
        let transfers = result.lines.compactMap(Transfer.init)
        guard transfers.count == urls.count else {
            throw HarnessError(
                "curl reported \(transfers.count) of \(urls.count) transfers: \(result.status) \(result.errors)")
        }
        return transfers
    }

    /// Those of `addresses` to which a connection passes; as probes they are counted apart.
    ///
    /// Where they should pass, `patience` is for a machine that is busy; to see that they do not, the first packet is
    /// enough.
    func reached(_ addresses: [String], patience: Double = 5) throws -> [String] {
        let transfers = try fetch(
            addresses.map { Pod.url($0) }, parallel: addresses.count, isProbe: true, patience: patience)
        return addresses.filter { address in transfers.contains { $0.url == Pod.url(address) && $0.isDone } }
    }

    /// Whether the first packet of a connection to `address` passes; as a probe it is counted apart.
    func reaches(_ address: String) throws -> Bool { try reachesAny(of: [address]) }

    /// Whether the first packets of connections to some of `addresses` pass; as probes they are counted apart.
    func reachesAny(of addresses: [String]) throws -> Bool { try !reached(addresses, patience: 0.7).isEmpty }

    /// The URL of an address.
    static func url(_ address: String, port: Int = 80) -> String {
        "http://\(address.contains(":") ? "[\(address)]" : address):\(port)/"
    }

    /// What `getent ahosts` finds, without repetitions: the lookup of the C library.
    func lookUp(_ name: String) throws -> [String] {
        let result = try namespace.execute(["getent", "ahosts", name])
        return Set(result.lines.compactMap { $0.split(separator: " ").first.map(String.init) }).sorted()
    }

    /// Asks the node with `dig`.
    func dig(_ arguments: String) throws -> DigAnswer {
        let command = ["dig", "-r", "+tries=1", "+time=8", "+noall", "+comments", "+answer"]
        let result = try namespace.execute(command + arguments.split(separator: " ").map(String.init))
        return DigAnswer(result.output + result.errors)
    }
}

extension Transfer {
    /// Reads a line that `Pod.fetch` made curl write.
    fileprivate init?(_ line: Substring) {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count == 5, let status = Int(fields[0]), let lookup = Double(fields[1]),
            let connect = Double(fields[2])
        else { return nil }
        self.init(
            url: String(fields[4]), status: status, lookup: lookup, connecting: max(0, connect - lookup),
            address: String(fields[3]))
    }
}
