import DNSWire
import FQDNPolicy
import Foundation
import Testing

@Suite struct ListingTests {
    /// A policy with a rule of every kind.
    private let policy = Policies.policy(
        """
          endpointSelector: {matchLabels: {app: api}}
          egress:
          - toEndpoints: [{matchLabels: {k8s-app: kube-dns}}]
            toPorts:
            - ports: [{port: 53, protocol: UDP}]
              rules:
                dns:
                - matchName: a.x
                - matchPattern: "**.b.x"
            - ports: [{port: 53, protocol: TCP}]
          - toFQDNs: [{matchPattern: "*-1.x"}]
            toPorts: [{ports: [{port: 443, protocol: TCP}, {port: 80}]}]
          egressDeny:
          - toPorts: [{rules: {dns: [{matchName: d.x}]}}]
          - toFQDNs: [{matchName: e.x}]
        """)

    @Test func `everything that is compiled for an identity is listed, with document, path and line`() throws {
        let snapshot = try Policies.snapshot(policy)
        let (rules, next) = snapshot.listRules(identity: 2, limit: 100)
        #expect(next == nil)
        #expect(
            rules.map(\.description) == [
                #"allow matchName: "a.x" UDP production/p (policy.yaml:12)"#,
                #"allow matchPattern: "**.b.x" UDP production/p (policy.yaml:13)"#,
                "allow no rules.dns: every name TCP production/p (policy.yaml:7)",
                #"learn matchPattern: "*-1.x" 80/ANY, 443/TCP production/p (policy.yaml:15)"#,
                #"deny matchName: "d.x" UDP+TCP production/p (policy.yaml:18)"#,
                #"deny learning matchName: "e.x" any port/ANY production/p (policy.yaml:19)"#,
            ])
        #expect(
            rules.map(\.path) == [
                "spec.egress[0]", "spec.egress[0]", "spec.egress[0]", "spec.egress[1]", "spec.egressDeny[0]",
                "spec.egressDeny[1]",
            ])
        #expect(rules.allSatisfy { $0.policyKind == "CiliumNetworkPolicy" && !$0.isAudit && $0.file == "policy.yaml" })
        let data = try JSONEncoder().encode(rules)
        #expect(try JSONDecoder().decode([ListedRule].self, from: data) == rules)
    }

    @Test func `an identity is listed with its policies, and whether they restrict it`() throws {
        let snapshot = try Policies.snapshot(policy)
        let api = snapshot.listing(identity: 2)
        #expect(api.title == "production/api" && api.policies == ["production/p"])
        #expect(api.isRestricted && api.ruleCount == 6)
        let web = snapshot.listing(identity: 3)
        #expect(web.policies == [] && !web.isRestricted && web.ruleCount == 0)
        #expect(snapshot.listing(identity: 0).isRestricted)
        #expect(snapshot.listing(identity: 77).id == .unknown)
    }

    @Test(arguments: [1, 2, 5, 6, 7])
    func `pages of any size give every rule once`(_ size: Int) throws {
        let snapshot = try Policies.snapshot(policy)
        let all = snapshot.listRules(identity: 2, limit: 100).rules
        var pages: [ListedRule] = []
        var next: Int? = 0
        while let start = next {
            let page = snapshot.listRules(identity: 2, from: start, limit: size)
            #expect(page.rules.count <= size)
            pages += page.rules
            next = page.next
        }
        #expect(pages == all)
    }

    @Test func `a page that starts behind the end, or has no room, is empty`() throws {
        let snapshot = try Policies.snapshot(policy)
        #expect(snapshot.listRules(identity: 2, from: 6, limit: 9).rules.isEmpty)
        #expect(snapshot.listRules(identity: 2, from: .max, limit: 9).next == nil)
        #expect(snapshot.listRules(identity: 2, limit: 0).next == 0)
        #expect(snapshot.listRules(identity: -1, from: -5, limit: 9).rules.isEmpty)
    }

    @Test func `rules in audit, of other specs and with aliases say so`() throws {
        let text = """
            apiVersion: cilium.io/v2
            kind: CiliumClusterwideNetworkPolicy
            metadata:
              name: w
              annotations: {dnsproxyd.io/enforcement: audit, dnsproxyd.io/match-aliases: "true"}
            spec: {endpointSelector: {}, egress: [{toPorts: [{rules: {dns: [{matchPattern: "*"}]}}]}]}
            specs:
            - {endpointSelector: {}, egress: [{}, {toFQDNs: [{matchPattern: "*"}]}]}
            """
        let rules = try Policies.snapshot(text).listRules(identity: 1, limit: 9).rules
        #expect(rules.map(\.path) == ["spec.egress[0]", "specs[0].egress[1]"])
        #expect(rules.map(\.kind) == [.allow, .learn])
        #expect(rules.map(\.isAudit) == [true, true])
        #expect(rules.map(\.matchesAliases) == [false, true])
    }
}

/// How rules are shared between identities.
@Suite struct LayerTests {
    /// Rules for `count` exact names `PREFIX<n>.x`.
    private func rule(_ prefix: String, _ count: Int) throws -> EgressRule {
        let names = try (0..<count).map { PatternEntry(try Pattern(.matchName, "\(prefix)\($0).x"), line: 1) }
        return EgressRule(toPorts: [PortRule(ports: nil, dns: names)], place: DocumentPlace(file: "f"))
    }

    /// A clusterwide policy.
    private func policy(_ name: String, _ key: String?, _ rule: EgressRule) -> PolicyDocument {
        let selector = EndpointSelector(key.map { [.init($0, .exists)] } ?? [])
        return PolicyDocument(
            kind: .clusterwide, namespace: nil, name: name, file: "f", line: 1,
            specs: [.init(selector: selector, egress: [rule])])
    }

    @Test func `what many identities share is compiled once, and each has its own as well`() throws {
        let count = 70
        var policies = [policy("all", nil, try rule("all", 500))]
        for group in 0..<6 { policies.append(policy("g\(group)", "g\(group)", try rule("g\(group)x", 300))) }
        for number in 0..<count { policies.append(policy("p\(number)", "own\(number)", try rule("own\(number)x", 3))) }
        let identities = (0..<count).map { number in
            var labels = ["own\(number)": "", "id": "\(number)"]
            for group in 0..<6 where number >> group & 1 == 1 { labels["g\(group)"] = "" }
            return IdentityEntry(
                name: "i\(number)", namespace: "n", labels: labels, prefixes: [], place: DocumentPlace(file: "f"))
        }
        let snapshot = try #require(PolicyCompiler.compile(policies: policies, identities: identities).snapshot)
        var buffer = NameBuffer()
        for index in snapshot.identities.indices.dropFirst() {
            let number = try #require(Int(snapshot.identities[index].labels["id"] ?? ""))
            var expected: [(String, Bool)] = [
                ("all499.x", true), ("all500.x", false), ("own\(number)x2.x", true), ("own\(number + 1)x2.x", false),
            ]
            for group in 0..<6 { expected.append(("g\(group)x299.x", number >> group & 1 == 1)) }
            for (name, isAllowed) in expected {
                buffer.assign(try DomainName(name))
                let verdict = snapshot.verdict(identity: index, name: buffer, transport: .udp)
                #expect(verdict.isAnswered == isAllowed, "\(number) \(name)")
                guard isAllowed else { continue }
                let found = snapshot.explain(identity: index, name: try DomainName(name), transport: .udp)
                #expect(found.rules.count == 1)
            }
            let groups = (0..<6).count { number >> $0 & 1 == 1 }
            #expect(snapshot.listing(identity: index).ruleCount == 503 + 300 * groups)
        }
    }
}
