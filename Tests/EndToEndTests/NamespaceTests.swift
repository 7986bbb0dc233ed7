import Testing

extension EndToEnd {
    /// The resolver of the C library, as programs in a container have it.
    @Suite struct Namespaces {
        @Test(.enabled(if: NetworkNamespace.isAvailable, "needs root, to create a network namespace"))
        func `getent in a namespace gets what its identity may have`() throws {
            let nsd = try NSD(zone: "one IN A 192.0.2.1\none IN AAAA 2001:db8::1\ntwo IN A 192.0.2.2")
            let namespace = try NetworkNamespace()
            var setup = Setup(upstream: nsd.port)
            setup.listen = [namespace.hostAddress]
            // resolv.conf knows no ports.
            setup.port = 53
            setup.identities = """
                  - {name: pod, namespace: shop, labels: {app: web}, addresses: [\(namespace.clientAddress)]}
                """
            setup.policies = ["web.yaml": Setup.policy("web", dns: ["one.test.example"], learn: ["*.test.example"])]
            setup.extra = "allowQueriesFrom: [198.18.0.0/15]"
            let daemon = try Daemon(setup)

            let hosts = try namespace.execute(["getent", "ahosts", "one.test.example"])
            #expect(hosts.status == 0, "\(hosts.errors) \(daemon.process.errors)")
            #expect(hosts.output.contains("192.0.2.1") && hosts.output.contains("2001:db8::1"), "\(hosts.output)")
            let v4 = try namespace.execute(["getent", "ahostsv4", "one.test.example"])
            #expect(v4.output.contains("192.0.2.1"))
            // Status 2: no such key.
            let hosts6 = try namespace.execute(["getent", "hosts", "one.test.example"])
            #expect(hosts6.status == 0 && hosts6.output.contains("2001:db8::1"), "\(hosts6.output)")
            #expect(try namespace.execute(["getent", "hosts", "two.test.example"]).status == 2)
            #expect(try namespace.execute(["getent", "hosts", "none.test.example"]).status == 2)

            let list = try daemon.command("cache", "list", "-o", "wide")
            let line = try #require(list.lines.first { $0.contains("one.test.example.") }, "\(list.output)")
            #expect(line.contains(namespace.clientAddress) && line.contains("192.0.2.1"))
            #expect(!list.output.contains("two.test.example."))
        }
    }
}
