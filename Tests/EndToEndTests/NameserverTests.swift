import Foundation
import Testing

extension EndToEnd {
    /// The nameservers of resolv.conf as upstreams.
    @Suite struct Nameservers {
        @Test(.enabled(if: NetworkNamespace.isAvailable, "needs root, to create a network namespace"))
        func `nameservers of resolv.conf are followed while the daemon runs, and no question in flight is lost`()
            throws
        {
            let namespace = try NetworkNamespace()
            let inside = try NSD(
                zone: "one IN A 192.0.2.1\ntwo IN A 192.0.2.2", port: 53,
                at: (namespace.inside, namespace.clientAddress))
            // resolv.conf knows no ports.
            let silent = try Relay(to: nil, at: namespace.hostAddress, port: 53)
            defer { silent.stop() }
            var setup = Setup()
            setup.upstreams = []
            let daemon = try Daemon(setup, in: namespace.inside)
            #expect(try daemon.status()?.upstreams.map(\.server) == ["\(namespace.hostAddress):53"])

            let arguments = ["@127.0.0.1", "-p", "\(daemon.port)", "+tries=1", "+time=8", "+short"]
            let waiting = try RunningProcess(
                namespace.inside.command(["dig", "-r"] + arguments + ["one.test.example"]))
            try eventually("the question does not leave") { silent.count > 0 }
            try namespace.writeResolvConf("nameserver \(namespace.clientAddress)\n")
            try waiting.wait()
            #expect(waiting.output == "192.0.2.1\n", "\(waiting.output)\(daemon.process.errors)")
            #expect(try daemon.status()?.upstreams.map(\.server) == ["\(namespace.clientAddress):53"])

            // A file that names nobody changes nothing.
            try namespace.writeResolvConf("search example.com\n")
            usleep(2_500_000)
            let next = try namespace.execute(["dig", "-r"] + arguments + ["two.test.example"])
            #expect(next.output == "192.0.2.2\n", "\(next.output)")
            #expect(try daemon.status()?.upstreams.map(\.server) == ["\(namespace.clientAddress):53"])
            withExtendedLifetime(inside) {}
        }
    }
}
