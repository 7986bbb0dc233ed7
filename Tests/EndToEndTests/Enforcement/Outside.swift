import Foundation

/// The world behind the node: nginx on every address of it, and nsd, whose names lead there.
final class Outside {
    /// The origin of all names.
    static let origin = "proof.test"
    /// What serves the names; the test may give them other addresses.
    let nameserver: NSD
    /// What serves HTTP.
    private let nginx: RunningProcess
    /// The files of nginx.
    private let workspace: Workspace

    /// Starts both in `namespace` and returns when they answer.
    init(in namespace: Namespace, zone: String) throws {
        workspace = try Workspace()
        nginx = try Outside.startHTTP(in: namespace, workspace)
        nameserver = try NSD(
            origin: Outside.origin, zone: zone, port: 53, at: (namespace, StageNetwork.nameserver))
        try eventually("nginx does not answer: \(nginx.errors)") {
            try namespace.execute(["curl", "-qsf", "-o", "/dev/null", "http://10.64.0.1/"]).status == 0
        }
    }

    /// Starts nginx on the ports 80 and 8080 of every local address. `/` is a short answer, after which it closes the
    /// connection; `/stream` goes on for a quarter of an hour, with 4 KiB each second.
    private static func startHTTP(in namespace: Namespace, _ workspace: Workspace) throws -> RunningProcess {
        try workspace.write("www/stream", String(repeating: "0123456789abcde\n", count: 256 * 900))
        let configuration = try workspace.write(
            "nginx.conf",
            """
            # One process, which ends when it is told to and leaves nothing behind.
            daemon off;
            master_process off;
            pid \(workspace.file("nginx.pid"));
            error_log stderr warn;
            events { worker_connections 8192; }
            http {
              access_log off;
              keepalive_timeout 0;
              client_body_temp_path \(workspace.file("body"));
              proxy_temp_path \(workspace.file("proxy"));
              fastcgi_temp_path \(workspace.file("fastcgi"));
              uwsgi_temp_path \(workspace.file("uwsgi"));
              scgi_temp_path \(workspace.file("scgi"));
              server {
                listen 80 backlog=4096;
                listen [::]:80 backlog=4096;
                listen 8080;
                listen [::]:8080;
                root \(workspace.file("www"));
                location = / { return 200 "open\\n"; }
                location = /stream { limit_rate 4k; }
              }
            }

            """)
        return try RunningProcess(
            namespace.command(["nginx", "-e", "stderr", "-p", workspace.path, "-c", configuration]))
    }
}
