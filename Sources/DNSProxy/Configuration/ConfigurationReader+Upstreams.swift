import DNSWire
import FQDNPolicy

/// The section `upstreams`.
extension ConfigurationReader {
    /// Most routes.
    private static let routeLimit = 256
    /// Most servers of one route.
    private static let serverLimit = RouteTable.serversPerRoute

    /// `upstreams`: routes by domain, and at most one for the rest.
    mutating func readUpstreams(_ root: inout DocumentMapping) {
        guard let list = root.value("upstreams"), let elements = list.elements(problems) else { return }
        guard elements.count <= ConfigurationReader.routeLimit else {
            problems.error(list, "expected at most \(ConfigurationReader.routeLimit) routes, found \(elements.count)")
            return
        }
        var routes: [UpstreamRoute] = []
        var known: Set<DomainName> = []
        var hasRest = false
        for element in elements {
            element.mapping(problems) { route in
                let domains = domains(of: &route, known: &known)
                let caFile = caFile(of: &route)
                let servers = servers(of: &route, caFile: caFile)
                let randomizesCase = route.bool("caseRandomization") ?? true
                let policy = route.choice("policy", UpstreamRoute.Policy.self) ?? .sequential
                if domains?.isEmpty == true {
                    if hasRest {
                        problems.error(element, "there is already a route without domains, which takes all the rest")
                    }
                    hasRest = true
                }
                if let domains, let servers {
                    routes.append(
                        UpstreamRoute(
                            domains: domains, servers: servers, policy: policy, randomizesCase: randomizesCase))
                }
            }
        }
        if !elements.isEmpty, routes.count == elements.count, !hasRest {
            problems.notice(list, "there is no route without domains, so other names have no upstream")
        }
        engine.upstreams = routes
    }

    /// The domains of a route, each canonical; empty when there is no such key, nil when one of them is bad.
    private func domains(of route: inout DocumentMapping, known: inout Set<DomainName>) -> [DomainName]? {
        guard let list = route.value("domains") else { return [] }
        guard let elements = list.elements(problems) else { return nil }
        guard !elements.isEmpty else {
            problems.error(list, "the list is empty; leave it out for the route that takes all the rest")
            return nil
        }
        var domains: [DomainName] = []
        for element in elements {
            guard let text = element.string(problems) else { continue }
            do throws(NameError) {
                let domain = try DomainName(text)
                if !known.insert(domain).inserted {
                    problems.error(element, "\(domain) is listed twice")
                }
                domains.append(domain)
            } catch {
                problems.error(element, "\(quoted(text)) is not a domain name: \(error)")
            }
        }
        return domains.count == elements.count ? domains : nil
    }

    /// The servers of a route; nil when there is none or one of them is bad.
    private func servers(of route: inout DocumentMapping, caFile: String?) -> [UpstreamServer]? {
        guard let list = route.value("servers", required: true), let elements = list.elements(problems) else {
            return nil
        }
        guard (1...ConfigurationReader.serverLimit).contains(elements.count) else {
            problems.error(list, "expected 1 to \(ConfigurationReader.serverLimit) servers, found \(elements.count)")
            return nil
        }
        let servers = elements.compactMap { server($0, caFile: caFile) }
        return servers.count == elements.count ? servers : nil
    }

    /// The file of the authorities that sign certificates of the route's `tls` servers; nil for those of the system.
    private func caFile(of route: inout DocumentMapping) -> String? {
        guard let node = route.value("caFile"), let path = path(node) else { return nil }
        do throws(StreamTrustError) {
            _ = try StreamTrust.context(caFile: path)
            return path
        } catch {
            problems.error(node, "\(error)")
            return nil
        }
    }

    /// `udp://ADDRESS:PORT`, `tcp://ADDRESS:PORT`, `tls://ADDRESS:PORT#NAME`, or without a transport for UDP; the port
    /// is 53 if there is none, 853 under TLS.
    private func server(_ node: DocumentNode, caFile: String?) -> UpstreamServer? {
        guard let text = node.string(problems) else { return nil }
        var rest = text[...]
        var transport = UpstreamServer.Transport.udp
        if let separator = text.firstRange(of: "://") {
            let scheme = text[..<separator.lowerBound]
            guard let known = UpstreamServer.Transport(rawValue: String(scheme)) else {
                let choices = UpstreamServer.Transport.allCases.map(\.rawValue).joined(separator: ", ")
                problems.error(node, "unknown transport \(quoted(String(scheme))); expected one of \(choices)")
                return nil
            }
            transport = known
            rest = text[separator.upperBound...]
        }
        var name: String?
        if transport == .tls, let separator = rest.firstIndex(of: "#") {
            name = certificateName(rest[rest.index(after: separator)...], node)
            if name == nil { return nil }
            rest = rest[..<separator]
        }
        guard let address = SocketAddress(String(rest), defaultPort: transport == .tls ? 853 : 53) else {
            problems.error(
                node,
                "expected an IP address with an optional port, such as 192.0.2.1:53, tcp://[2001:db8::1]:53 or "
                    + "tls://192.0.2.1:853#dns.example, found \(quoted(text))")
            return nil
        }
        guard !address.isWildcard else {
            problems.error(node, "\(address.address) is not the address of a server")
            return nil
        }
        guard !leadsBack(address) else {
            problems.error(node, "\(address) is where this daemon itself listens")
            return nil
        }
        return UpstreamServer(
            address, transport: transport, name: name, caFile: transport == .tls ? caFile : nil)
    }

    /// The name that a certificate must have: that of a host, without a dot at its end.
    private func certificateName(_ text: Substring, _ node: DocumentNode) -> String? {
        let name = text.hasSuffix(".") ? text.dropLast() : text
        let isHost = name.utf8.allSatisfy { byte in
            (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
        guard isHost, !name.isEmpty, IPAddress(name) == nil, (try? DomainName(String(name))) != nil else {
            problems.error(
                node,
                "expected the name in the server's certificate behind #, such as dns.example, found "
                    + "\(quoted(String(text))); without one the certificate has to be for the address")
            return nil
        }
        return name.lowercased()
    }

    /// Whether queries sent to `address` would come back to this daemon.
    private func leadsBack(_ address: SocketAddress) -> Bool {
        engine.listen.contains { listen in
            listen == address || (listen.isWildcard && listen.port == address.port && address.address.isLoopback)
        }
    }
}
