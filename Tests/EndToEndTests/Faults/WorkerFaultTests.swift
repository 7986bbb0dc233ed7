import Foundation
import Testing

extension EndToEnd {
    /// A worker thread that dies, or stands still: no socket may stay open that nobody listens to.
    @Suite struct WorkerFaults {
        /// What keeps a daemon from taking minutes to describe its death where the tools of developers are installed.
        private static let quietly = ["env", "SWIFT_BACKTRACE=enable=no"]

        @Test(arguments: [SIGILL, SIGSEGV, SIGBUS])
        func `a worker that dies takes the process with it, and the next one has all that it had`(signal: Int32) throws
        {
            let nsd = try NSD(zone: "one IN A 192.0.2.1")
            var setup = Setup(upstream: nsd.port)
            setup.policies = ["web.yaml": Setup.policy("web")]
            let daemon = try Daemon(setup, through: Self.quietly)
            #expect(try daemon.dig("one.test.example").addresses == ["192.0.2.1"])
            let worker = try HeldThread.number("worker-1", of: daemon.process.pid)
            try HeldThread.signal(signal, to: worker, of: daemon.process.pid)
            #expect(try daemon.process.wait() == 128 + signal)
            // Nobody listens, and the kernel says so.
            let client = try daemon.client()
            client.ask("one.test.example")
            #expect(client.answer(within: .seconds(2)) == nil)
            try daemon.restart()
            #expect(try daemon.mappings().map(\.fqdn) == ["one.test.example."])
            #expect(try daemon.dig("one.test.example").addresses == ["192.0.2.1"])
        }

        @Test func `while a worker stands still there is no sign of life, and the log says which one it is`() throws {
            let nsd = try NSD(zone: (0..<100).map { "host\($0) IN A 192.0.2.\($0)" }.joined(separator: "\n"))
            let port = try Ports.free()
            let manager = try ServiceManager([Endpoint("127.0.0.1", port)], watchdog: .milliseconds(400))
            var setup = Setup(upstream: nsd.port)
            setup.port = port
            let daemon = try Daemon(setup, under: manager)
            /// How often the log has said so.
            func complaints() -> Int {
                daemon.process.errors.components(separatedBy: "a worker does not work any more").count - 1
            }
            /// The signs of life so far.
            func signs() -> Int { manager.messages().count { $0 == "WATCHDOG=1" } }
            try eventually("there is no sign of life") { signs() > 0 }
            let held = try HeldThread(HeldThread.number("worker-1", of: daemon.process.pid))
            try eventually("nobody notices: \(daemon.process.errors)") { complaints() > 0 }
            let (before, told) = (signs(), complaints())
            try eventually("it is told once") { complaints() > told + 2 }
            #expect(signs() == before)
            #expect(daemon.process.errors.contains("worker=1"), "\(daemon.process.errors)")
            try held.release()
            try eventually("no sign of life any more") { signs() > before + 1 }
            for number in 0..<20 {
                #expect(try daemon.dig("host\(number).test.example").addresses == ["192.0.2.\(number)"])
            }
        }
    }
}
