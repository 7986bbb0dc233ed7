import Foundation

/// The built daemon as a process, with its configuration, its documents and its state in a folder of the test.
final class Daemon {
    /// The program: next to the test bundle, or what `DNSPROXYD` names.
    static let program: String = {
        if let path = ProcessInfo.processInfo.environment["DNSPROXYD"] { return path }
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (bundle as NSString).deletingLastPathComponent + "/dnsproxyd"
    }()

    /// Its files.
    let workspace: Workspace
    /// Its port.
    let port: Int
    /// Its configuration file.
    let configuration: String
    /// Where it runs; nil for the namespace of the tests.
    private let namespace: Namespace?
    /// What a service manager gives it.
    private let manager: ServiceManager?
    /// The command that becomes the program, such as `env`; empty for none.
    private let wrapper: [String]
    /// The process of the last start.
    private(set) var process: RunningProcess
    /// The path of its admin socket.
    var adminSocket: String { workspace.file("admin.sock") }
    /// The path of its feed socket.
    var feedSocket: String { workspace.file("feed.sock") }

    /// Starts a daemon as `setup` says, in `namespace`, under `manager` or through `wrapper` if there is one, and returns
    /// when it is ready.
    init(
        _ setup: Setup, in namespace: Namespace? = nil, under manager: ServiceManager? = nil,
        through wrapper: [String] = []
    ) throws {
        self.namespace = namespace
        self.manager = manager
        self.wrapper = wrapper
        workspace = try Workspace()
        port = try setup.port ?? Ports.free()
        configuration = try setup.write(to: workspace, port: port)
        process = try Daemon.launch(configuration, in: namespace, under: manager, through: wrapper)
        try waitUntilReady()
    }

    /// Starts it again after its end, and returns when it is ready.
    func restart() throws {
        try beginRestart()
        try waitUntilReady()
    }

    /// Starts another process that takes over, and returns that of before when the new one is ready.
    @discardableResult
    func takeOver() throws -> RunningProcess {
        let old = process
        let new = try Daemon.launch(configuration, in: namespace, options: ["--takeover"])
        try old.wait()
        try adopt(new)
        return old
    }

    /// Goes on with `process`, which serves in its place, and returns when that is ready.
    func adopt(_ process: RunningProcess) throws {
        self.process = process
        try waitUntilReady()
    }

    /// Starts it again after its end, without waiting for anything.
    func beginRestart() throws {
        try process.wait()
        process = try Daemon.launch(configuration, in: namespace, under: manager, through: wrapper)
    }

    /// Ends it as a service manager does, and returns its exit status.
    func stop() throws -> Int32 {
        process.signal(SIGTERM)
        return try process.wait()
    }

    /// Runs `dnsproxyd` with `arguments` against this daemon.
    func command(_ arguments: String...) throws -> Completed {
        try run([Daemon.program] + arguments + ["--admin", adminSocket])
    }

    /// A client of this daemon.
    func client(source: String? = nil) throws -> DNSClient { try DNSClient(port: port, source: source) }

    /// Asks it with `dig`.
    func dig(_ arguments: String, source: String? = nil) throws -> DigAnswer {
        try EndToEndTests.dig(arguments, port: port, source: source)
    }

    /// Starts the program without waiting for anything.
    static func launch(
        _ configuration: String, in namespace: Namespace? = nil, under manager: ServiceManager? = nil,
        through wrapper: [String] = [], options: [String] = []
    ) throws -> RunningProcess {
        let command = wrapper + [program, "serve", "-c", configuration] + options
        if let manager { return try manager.start(command) }
        return try RunningProcess(namespace?.command(command) ?? command)
    }

    /// Waits until it says that nothing is missing any more.
    private func waitUntilReady() throws {
        // A long journal takes a while on a machine that has other things to do.
        try eventually("not ready: \(process.output) \(process.errors)", within: .seconds(90)) {
            if let status = process.poll() { throw HarnessError("ended with \(status): \(process.errors)") }
            return try status()?.notReady.isEmpty == true
        }
    }
}

extension Daemon {
    /// What the tests read of `GET /v1/status`.
    struct Status: Decodable {
        /// The policy in force.
        struct Policy: Decodable {
            /// Number of the snapshot.
            let generation: Int
            /// What was wrong with the last reload.
            let problems: [String]
        }

        /// The feed.
        struct Feed: Decodable {
            /// A subscriber.
            struct Subscriber: Decodable {
                /// Changes that it has not acknowledged.
                let eventsBehind: UInt64
            }

            /// Those that are connected.
            let subscribers: [Subscriber]
            /// Those of them that acknowledge.
            let acknowledging: Int
        }

        /// A server that questions are forwarded to.
        struct Upstream: Decodable {
            /// As it is configured.
            let server: String
            /// Whether it answers.
            let isUp: Bool
            /// Whether it returns questions as they were written.
            let keepsCase: Bool
            /// Whether it knows EDNS.
            let knowsEDNS: Bool
            /// What is wrong with connections to it.
            let problem: String?
        }

        /// What is missing before it is ready.
        let notReady: [String]
        /// The servers that questions are forwarded to.
        let upstreams: [Upstream]
        /// The policy in force.
        let policy: Policy
        /// The feed.
        let feed: Feed
        /// What the workers have counted.
        let counters: [String: Int]
    }

    /// Its status, over the admin socket as any HTTP client has it; nil while nobody answers there.
    func status() throws -> Status? {
        guard let socket = try connectUnix(adminSocket) else { return nil }
        socket.setTimeout(.seconds(5))
        socket.send(Array("GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
        var response = Data()
        while let bytes = socket.receive() { response += bytes }
        guard let end = response.range(of: Data("\r\n\r\n".utf8)),
            response.starts(with: Data("HTTP/1.1 200".utf8))
        else { return nil }
        return try JSONDecoder().decode(Status.self, from: response[end.upperBound...])
    }

    /// The counter `name`, summed over the workers, as it is when nothing is counted any more: a worker shows what it has
    /// counted at the end of its turn, which comes after the reply that a test has waited for. Where things go on being
    /// counted it is what was read after a second.
    func counter(_ name: String) throws -> Int {
        var last: [String: Int]?
        for _ in 1...50 {
            let counters = try status()?.counters
            if let counters, counters == last { break }
            last = counters
            usleep(20_000)
        }
        guard let value = last?[name] else { throw HarnessError("no counter \(name)") }
        return value
    }
}
