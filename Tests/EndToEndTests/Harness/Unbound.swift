import Foundation

/// A real resolver that is spoken to over TLS, on 127.0.0.1, with a certificate that the test has made.
final class Unbound {
    /// Its port.
    let port: Int
    /// Its files.
    private let workspace: Workspace
    /// The server.
    private let process: RunningProcess

    /// Knows `host1` to `host40` of `test.example`; returns when it takes connections.
    init(certificate: Certificate, port: Int? = nil) throws {
        let port = try port ?? Ports.free()
        self.port = port
        workspace = try Workspace()
        let records = (1...40).map { "  local-data: \"host\($0).test.example. 300 IN A 192.0.2.\($0)\"" }
        let configuration = try workspace.write(
            "unbound.conf",
            """
            server:
              interface: 127.0.0.1@\(port)
              tls-port: \(port)
              tls-service-key: "\(certificate.key)"
              tls-service-pem: "\(certificate.file)"
              do-daemonize: no
              chroot: ""
              username: ""
              directory: "\(workspace.path)"
              pidfile: "\(workspace.file("unbound.pid"))"
              use-syslog: no
              num-threads: 1
              do-not-query-localhost: no
              module-config: "iterator"
              local-zone: "test.example." static
            \(records.joined(separator: "\n"))
            remote-control:
              control-enable: no

            """)
        process = try RunningProcess(["unbound", "-d", "-c", configuration])
        let endpoint = Endpoint("127.0.0.1", port)
        try eventually("unbound does not listen: \(process.errors)") {
            if let status = process.poll() { throw HarnessError("unbound ended with \(status): \(process.errors)") }
            return endpoint.connect(try endpoint.socket(SOCK_STREAM))
        }
    }
}

/// A certificate that is signed by an authority of the test.
struct Certificate {
    /// The certificate in PEM format.
    let file: String
    /// Its key.
    let key: String
}

/// An authority that signs certificates, by `openssl`.
final class Authority {
    /// Its own certificate in PEM format.
    var file: String { workspace.file("ca.pem") }
    /// Its files.
    private let workspace: Workspace

    /// How keys are made.
    private static let newKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"

    /// A new authority.
    init() throws {
        workspace = try Workspace()
        try openssl("req -x509 \(Authority.newKey) -keyout ca.key -out ca.pem -subj /CN=authority -days 2")
    }

    /// A certificate for `name`, as in `DNS:dns.example` or `IP:192.0.2.1`, that is valid for `days`; for less than
    /// none it has expired.
    func certificate(for name: String, days: Int = 1) throws -> Certificate {
        let base = "server\(Int.random(in: 0..<1_000_000))"
        try workspace.write("\(base).ext", "subjectAltName=\(name)\n")
        try openssl("req \(Authority.newKey) -keyout \(base).key -out \(base).csr -subj /CN=server")
        try openssl(
            "x509 -req -in \(base).csr -CA ca.pem -CAkey ca.key -CAcreateserial -out \(base).pem -days \(days) "
                + "-extfile \(base).ext")
        return Certificate(file: workspace.file("\(base).pem"), key: workspace.file("\(base).key"))
    }

    /// Runs `openssl` in the folder.
    private func openssl(_ arguments: String) throws {
        let command = "cd \(workspace.path) && exec openssl \(arguments)"
        let result = try run(["sh", "-c", command])
        guard result.status == 0 else { throw HarnessError("openssl \(arguments): \(result.errors)") }
    }
}
