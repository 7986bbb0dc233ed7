import Foundation
import Testing

extension EndToEnd {
    /// The daemon starts no other program and no shell, whatever it is told.
    @Suite struct Subprocesses {
        /// What a program takes from the C library to start another one (exec(3), posix_spawn(3), system(3), popen(3),
        /// wordexp(3)).
        private static let starters: Set<String> = [
            "fork", "vfork", "_Fork", "clone", "__clone", "daemon", "forkpty", "execl", "execlp", "execle", "execv",
            "execvp", "execvpe", "execve", "execveat", "fexecve", "posix_spawn", "posix_spawnp", "pidfd_spawn",
            "pidfd_spawnp", "system", "popen", "wordexp",
        ]

        /// What of `imports` starts a program, classes of Foundation included.
        private static func starters(among imports: Set<String>) -> [String] {
            imports.filter { starters.contains($0) || $0.hasPrefix("$s10Foundation7Process") || $0.hasPrefix("NSTask") }
                .sorted()
        }

        @Test func `neither the program nor a package in it takes a function that starts another`() throws {
            let imports = try imports(of: Daemon.program)
            #expect(Self.starters(among: imports) == [])
            // What it surely takes is seen, and so is what a shell takes.
            #expect(imports.isSuperset(of: ["socket", "recvmmsg", "setresuid"]), "\(imports.count)")
            #expect(try Self.starters(among: EndToEndTests.imports(of: "/bin/sh")).contains("execve"))
        }

        @Test func `no source imports what could`() throws {
            let folder = "\(repositoryRoot)/Sources"
            let files = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }
            #expect(files.count > 200)
            for file in files {
                let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
                // FoundationEssentials has no `Process`.
                #expect(!text.contains(/\bimport (class )?(Foundation|Subprocess)\b/), "\(file)")
            }
        }

        @Test func `a daemon that has done all kinds of work has had no child`() throws {
            let nsd = try NSD(zone: "one IN A 192.0.2.1")
            var setup = Setup(upstream: nsd.port)
            setup.policies = ["web.yaml": Setup.policy("web")]
            setup.extra = "flows: {export: {file: flows.log}}"
            let daemon = try Daemon(setup)
            let client = try daemon.client()
            for name in ["one.test.example", "$(touch owned).test.example", "`id`;reboot|sh.test.example"] {
                #expect(client.resolve(name) != nil)
            }
            try daemon.workspace.write("policies/web.yaml", Setup.policy("web", dns: ["*.test.example"]))
            daemon.process.signal(SIGHUP)
            try eventually("nothing is reloaded") { try daemon.status()?.policy.generation ?? 0 > 1 }
            for command in ["cache list", "status", "policy suggest -e shop/web", "observe"] {
                let words = command.split(separator: " ").map(String.init)
                #expect(try run([Daemon.program] + words + ["--admin", daemon.adminSocket]).status == 0, "\(command)")
            }
            #expect(try !hasHadChildren(daemon.process.pid))
            // A shell that has run a program is told apart.
            let shell = try RunningProcess(["/bin/sh", "-c", "ls / > /dev/null; read -r line < /dev/zero"])
            try eventually("the shell has no child") { try hasHadChildren(shell.pid) }
        }
    }
}
