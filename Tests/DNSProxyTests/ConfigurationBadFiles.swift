extension ConfigurationTests {
    /// Files with one mistake each, and what is said about it behind the file's name.
    static let badFiles: [(String, String)] = [
        // The document.
        ("- listen\n", "1:1: error: expected a mapping of keys and values, found a list"),
        ("listen\n", "1:1: error: expected a mapping of keys and values, found text"),
        ("workers: 1\n---\nworkers: 2\n", "3:1: error: the configuration is one document; a second one starts here"),
        ("workers: 1\nworkers: 2\n", "2:1: error: duplicate key \"workers\", first on line 1"),
        ("wrokers: 1\n", "1:1: error: unknown key \"wrokers\" (did you mean \"workers\"?)"),
        ("statistics: {}\n", "1:1: error: unknown key \"statistics\""),
        // listen
        ("listen: 127.0.0.1:53\n", "1:9: error: listen: expected a list, found text"),
        ("listen:\n", "1:8: error: listen: expected a list, found nothing"),
        ("listen: []\n", "1:9: error: listen: expected 1 to 64 addresses, found 0"),
        (
            "listen: [localhost]\n",
            "1:10: error: listen[0]: expected an IP address with a port, such as 127.0.0.1:53 or [::1]:53, "
                + "found \"localhost\""
        ),
        (
            "listen:\n  - 127.0.0.1:53\n  - 127.0.0.1:0\n",
            "3:5: error: listen[1]: expected an IP address with a port, such as 127.0.0.1:53 or [::1]:53, "
                + "found \"127.0.0.1:0\""
        ),
        ("listen: [127.0.0.1, \"127.0.0.1:53\"]\n", "1:21: error: listen[1]: 127.0.0.1:53 is listed twice"),
        // user, group
        ("user: \"\"\n", "1:7: error: user: expected a name or a number, found \"\""),
        ("user:\n", "1:6: error: user: expected text, found nothing"),
        ("user: [a]\n", "1:7: error: user: expected text, found a list"),
        ("group: a\n", "1:8: error: group: a group is taken together with a user, and there is no `user`"),
        // Single values.
        ("workers: 0\n", "1:10: error: workers: expected a whole number from 1 to 256, found \"0\""),
        ("workers: 257\n", "1:10: error: workers: expected a whole number from 1 to 256, found \"257\""),
        ("workers: [2]\n", "1:10: error: workers: expected a number, found a list"),
        (
            "enforcement: alway\n",
            "1:14: error: enforcement: unknown value \"alway\" (did you mean \"always\"?); "
                + "expected one of default, always, never, audit"
        ),
        (
            "unknownClients: drop\n",
            "1:17: error: unknownClients: unknown value \"drop\"; expected one of refuse, allow"
        ),
        ("policies: policies/\n", "1:11: error: policies: expected a list, found text"),
        ("identities: [\"\"]\n", "1:14: error: identities[0]: expected a path, found \"\""),
        ("zones: [{a: b}]\n", "1:9: error: zones[0]: expected text, found a mapping"),
        (
            "deny: {response: drop}\n",
            "1:18: error: deny.response: unknown value \"drop\"; expected one of refused, nameError"
        ),
        ("deny: {answer: refused}\n", "1:8: error: deny: unknown key \"answer\""),
        ("allowQueriesFrom: []\n", nobody),
        (
            "allowQueriesFrom: [10.0.0.1/8]\n",
            "1:20: error: allowQueriesFrom[0]: expected an address or a network such as 10.0.0.0/8, without bits "
                + "behind its length, found \"10.0.0.1/8\""
        ),
        // limits
        (
            "limits: {connections: 0}\n",
            "1:23: error: limits.connections: expected a whole number from 1 to 1000000, found \"0\""
        ),
        ("limits: {idleTimeout: 2h}\n", "1:23: error: limits.idleTimeout: expected a time from 1s to 1h"),
        ("limits: {firstQueryTimeout: 61m}\n", "1:29: error: limits.firstQueryTimeout: expected a time from 1s to 1h"),
        ("limits: {idleTimeout: 0s}\n", "1:23: error: limits.idleTimeout: expected a time from 1s to 2147483647s"),
        (
            "limits: {responsesPerSecond: 0}\n",
            "1:30: error: limits.responsesPerSecond: expected a whole number from 1 to 1000000, found \"0\""
        ),
        (
            "limits: {ipv6PrefixLength: 129}\n",
            "1:28: error: limits.ipv6PrefixLength: expected a whole number from 32 to 128, found \"129\""
        ),
        (
            "limits: {responsePerSecond: 5}\n",
            "1:10: error: limits: unknown key \"responsePerSecond\" (did you mean \"responsesPerSecond\"?)"
        ),
        // upstreams
        ("upstreams: [192.0.2.1]\n", "1:13: error: upstreams[0]: expected a mapping of keys and values, found text"),
        ("upstreams: [{policy: random}]\n", "1:13: error: upstreams[0]: \"servers\" is missing"),
        ("upstreams: [{servers: []}]\n", "1:23: error: upstreams[0].servers: expected 1 to 64 servers, found 0"),
        (
            "upstreams: [{servers: [\(Array(repeating: "192.0.2.1", count: 65).joined(separator: ", "))]}]\n",
            "1:23: error: upstreams[0].servers: expected 1 to 64 servers, found 65"
        ),
        (
            "upstreams:\n  - servers: [\"tls://9.9.9.9:853#9.9.9.9\"]\n",
            "2:15: error: upstreams[0].servers[0]: expected the name in the server's certificate behind #, such as "
                + "dns.example, found \"9.9.9.9\"; without one the certificate has to be for the address"
        ),
        (
            "upstreams:\n  - servers: [\"tls://9.9.9.9:853#\"]\n",
            "2:15: error: upstreams[0].servers[0]: expected the name in the server's certificate behind #, such as "
                + "dns.example, found \"\"; without one the certificate has to be for the address"
        ),
        (
            "upstreams: [{servers: [192.0.2.1], caFile: /nonexistent/ca.pem}]\n",
            "1:44: error: upstreams[0].caFile: cannot read certificates in PEM format from /nonexistent/ca.pem"
        ),
        (
            "upstreams: [{servers: [192.0.2.1], caseRandomization: perhaps}]\n",
            "1:55: error: upstreams[0].caseRandomization: expected true or false, found perhaps"
        ),
        (
            "upstreams:\n  - servers: [\"https://192.0.2.1/dns-query\"]\n",
            "2:15: error: upstreams[0].servers[0]: unknown transport \"https\"; expected one of udp, tcp, tls"
        ),
        (
            "upstreams:\n  - servers: [\"tcp://dns.example\"]\n",
            "2:15: error: upstreams[0].servers[0]: expected an IP address with an optional port, such as 192.0.2.1:53, "
                + "tcp://[2001:db8::1]:53 or tls://192.0.2.1:853#dns.example, found \"tcp://dns.example\""
        ),
        (
            "upstreams: [{servers: [\"0.0.0.0\"]}]\n",
            "1:24: error: upstreams[0].servers[0]: 0.0.0.0 is not the address of a server"
        ),
        (
            "upstreams: [{servers: [\"127.0.0.1:5355\"]}]\n",
            "1:24: error: upstreams[0].servers[0]: 127.0.0.1:5355 is where this daemon itself listens"
        ),
        (
            "listen: [\"[::]:53\"]\nupstreams: [{servers: [\"::1\"]}]\n",
            "2:24: error: upstreams[0].servers[0]: [::1]:53 is where this daemon itself listens"
        ),
        (
            "upstreams: [{domains: [], servers: [192.0.2.1]}, {servers: [192.0.2.1]}]\n",
            "1:23: error: upstreams[0].domains: the list is empty; leave it out for the route that takes all the rest"
        ),
        (
            "upstreams: [{domains: [a..b], servers: [192.0.2.1]}, {servers: [192.0.2.1]}]\n",
            "1:24: error: upstreams[0].domains[0]: \"a..b\" is not a domain name: empty label"
        ),
        (
            "upstreams:\n  - {domains: [a.example], servers: [192.0.2.1]}\n  - {servers: [192.0.2.1]}\n"
                + "  - {domains: [A.example.], servers: [192.0.2.1]}\n",
            "4:16: error: upstreams[2].domains[0]: a.example. is listed twice"
        ),
        (
            "upstreams:\n  - servers: [192.0.2.1]\n  - servers: [192.0.2.2]\n",
            "3:5: error: upstreams[1]: there is already a route without domains, which takes all the rest"
        ),
        (
            "upstreams: [{servers: [192.0.2.1], policy: fastest}]\n",
            "1:44: error: upstreams[0].policy: unknown value \"fastest\"; "
                + "expected one of sequential, random, roundRobin"
        ),
        // cache
        ("cache: 64MiB\n", "1:8: error: cache: expected a mapping of keys and values, found text"),
        (
            "cache: {size: 64M}\n",
            "1:15: error: cache.size: expected a size such as 64MiB, 1GiB, 500KB or a number of bytes, found \"64M\""
        ),
        ("cache: {size: 4KiB}\n", "1:15: error: cache.size: expected a size from 1MiB to 16TiB"),
        (
            "cache:\n  maxTTL: 60\n",
            "2:11: error: cache.maxTTL: expected a time such as 100ms, 30s, 5m, 24h or 7d, found \"60\""
        ),
        ("cache: {maxTTL: 0s}\n", "1:17: error: cache.maxTTL: expected a time from 1s to 2147483647s"),
        ("cache: {minTTL: 1500ms}\n", "1:17: error: cache.minTTL: expected whole seconds"),
        ("cache: {minTTL: 25h}\n", "1:17: error: cache.minTTL: minTTL (25h) is above maxTTL (1d)"),
        ("cache: {serveStale: 99999d}\n", "1:21: error: cache.serveStale: expected a time from 0s to 2147483647s"),
        ("cache: {prefetch: \"yes\"}\n", "1:19: error: cache.prefetch: expected true or false, found \"yes\""),
        ("metrics: {upstreamLabels: 1}\n", "1:27: error: metrics.upstreamLabels: expected true or false, found 1"),
        // learning
        (
            "learning: {scope: some}\n",
            "1:19: error: learning.scope: unknown value \"some\"; expected one of selected, all"
        ),
        (
            "learning: {maxAddressesPerName: 0}\n",
            "1:33: error: learning.maxAddressesPerName: expected a whole number from 1 to 65535, found \"0\""
        ),
        (
            "learning: {denyAddresses: [example.com]}\n",
            "1:28: error: learning.denyAddresses[0]: expected an address or a network such as 10.0.0.0/8, without bits "
                + "behind its length, found \"example.com\""
        ),
        ("learning: {gracePeriod: 60s}\n", "1:12: error: learning: unknown key \"gracePeriod\""),
        // feed
        (
            "feed:\n  socket:\n",
            "2:10: error: feed.socket: there is nothing behind \"socket\"; leave it out for the default, or say none"
        ),
        ("feed:\nlog: {}\n", "1:6: error: feed: expected a mapping of keys and values, found nothing"),
        (
            "feed: {socket: /\(String(repeating: "s", count: 107))}\n",
            "1:16: error: feed.socket: a socket's path has at most 107 bytes, and "
                + "\"/\(String(repeating: "s", count: 79))…\" has 108"
        ),
        ("feed: {maxDelay: 2m}\n", "1:18: error: feed.maxDelay: expected a time from 0s to 60s"),
        (
            "feed: {socket: none, requireEnforcer: true}\n",
            "1:39: error: feed.requireEnforcer: without a feed socket no enforcer can connect"
        ),
        // admin
        (
            "admin: {http: \"0.0.0.0:9253\"}\n",
            "1:15: error: admin.http: 0.0.0.0:9253 is not a loopback address; metrics tell about clients, so say "
                + "exposeHTTP: true beside it to serve them to the network"
        ),
        (
            "admin: {http: none, page: true}\n",
            "1:27: error: admin.page: the page is served at admin.http, which is switched off"
        ),
        ("admin: {page: loopback}\n", "1:15: error: admin.page: expected true or false, found loopback"),
        (
            "admin: {health: \"127.0.0.1:9253\"}\n",
            "1:17: error: admin.health: http and health cannot both be 127.0.0.1:9253"
        ),
        (
            "admin: {socket: /run/dnsproxyd/feed.sock}\n",
            "1:8: error: admin: the admin socket and the feed socket are both \"/run/dnsproxyd/feed.sock\""
        ),
        // flows
        ("flows: {recent: 0}\n", "1:17: error: flows.recent: expected a whole number from 1 to 65536, found \"0\""),
        ("flows: {watchedRate: 0}\n", noWatchedRate),
        ("flows: {sample: 1}\n", "1:9: error: flows: unknown key \"sample\""),
        ("flows: {export: {maxFiles: 1}}\n", "1:17: error: flows.export: \"file\" is missing"),
        (
            "flows: {export: {file: stdout, maxSize: 10}}\n",
            "1:41: error: flows.export.maxSize: expected a size from 1KB to 1TiB"
        ),
        (
            "flows: {export: {file: f, allow: [{verdict: [DENIED]}]}}\n",
            "1:46: error: flows.export.allow[0].verdict[0]: unknown value \"DENIED\"; "
                + "expected one of FORWARDED, DROPPED, AUDIT, ERROR"
        ),
        (
            "flows: {export: {file: f, deny: [{name: [\"a b\"]}]}}\n",
            "1:42: error: flows.export.deny[0].name[0]: pattern \"a b\" contains \" \": "
                + "only letters, digits, \"-\", \"_\", \".\" and \"*\" are allowed"
        ),
        (
            "flows: {export: {file: f, fields: [l7.dns.qury]}}\n",
            "1:36: error: flows.export.fields[0]: there is no field \"l7.dns.qury\" (did you mean \"l7.dns.query\"?)"
        ),
        // log
        (
            "log: {level: verbose}\n",
            "1:14: error: log.level: unknown value \"verbose\"; "
                + "expected one of trace, debug, info, notice, warning, error, critical"
        ),
        ("log: {format: xml}\n", "1:15: error: log.format: unknown value \"xml\"; expected one of text, json"),
    ]

    /// What is said about a rate that notes nothing for whoever looks.
    private static let noWatchedRate =
        "1:22: error: flows.watchedRate: expected a whole number from 1 to 1000000, found \"0\""

    /// What is said about an empty `allowQueriesFrom`.
    private static let nobody =
        "1:19: error: allowQueriesFrom: the list is empty, so nobody could ask; 0.0.0.0/0 and ::/0 are everybody"
}
