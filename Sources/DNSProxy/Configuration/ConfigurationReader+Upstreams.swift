import DNSWire
import FQDNPolicy

/// The section `upstreams`.
extension ConfigurationReader {
    /// Most routes.
    private static let routeLimit = 256
    /// Most servers of one route.
    private static let serverLimit = 64

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
                let servers = servers(of: &route)
                let policy = route.choice("policy", UpstreamRoute.Policy.self) ?? .sequential
                if domains?.isEmpty == true {
                    if hasRest {
                        problems.error(element, "there is already a route without domains, which takes all the rest")
                    }
                    hasRest = true
                }
                if let domains, let servers {
                    routes.append(UpstreamRoute(domains: domains, servers: servers, policy: policy))
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
    private func servers(of route: inout DocumentMapping) -> [UpstreamServer]? {
        guard let list = route.value("servers", required: true), let elements = list.elements(problems) else {
            return nil
        }
        guard (1...ConfigurationReader.serverLimit).contains(elements.count) else {
            problems.error(list, "expected 1 to \(ConfigurationReader.serverLimit) servers, found \(elements.count)")
            return nil
        }
        let servers = elements.compactMap { server($0) }
        return servers.count == elements.count ? servers : nil
    }

    /// `udp://ADDRESS:PORT`, `tcp://ADDRESS:PORT`, or without a transport for UDP; the port is 53 if there is none.
    private func server(_ node: DocumentNode) -> UpstreamServer? {
        guard let text = node.string(problems) else { return nil }
        var rest = text[...]
        var transport = UpstreamServer.Transport.udp
        if let separator = text.firstRange(of: "://") {
            let scheme = text[..<separator.lowerBound]
            if scheme == "tls" {
                problems.error(node, "tls:// upstreams are not available in this version")
                return nil
            }
            guard let known = UpstreamServer.Transport(rawValue: String(scheme)) else {
                problems.error(node, "unknown transport \(quoted(String(scheme))); expected one of udp, tcp")
                return nil
            }
            transport = known
            rest = text[separator.upperBound...]
        }
        guard let address = SocketAddress(String(rest), defaultPort: 53) else {
            problems.error(
                node,
                "expected an IP address with an optional port, such as 192.0.2.1:53 or tcp://[2001:db8::1]:53, "
                    + "found \(quoted(text))")
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
        return UpstreamServer(address, transport: transport)
    }

    /// Whether queries sent to `address` would come back to this daemon.
    private func leadsBack(_ address: SocketAddress) -> Bool {
        engine.listen.contains { listen in
            listen == address || (listen.isWildcard && listen.port == address.port && address.address.isLoopback)
        }
    }
}
