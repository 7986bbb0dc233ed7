import DNSWire
import FQDNPolicy
import Hummingbird

/// The admin API, as `docs/ADMIN-API.md` describes it.
struct AdminRoutes {
    /// Who knows the answers.
    private let backend: any AdminBackend

    /// The API over `backend`.
    init(_ backend: any AdminBackend) {
        self.backend = backend
    }

    /// Every request that the API knows.
    func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: AdminFailures())
        let v1 = router.group("v1")
        v1.get("status") { request, _ in try await status(request) }
        v1.get("mappings") { request, _ in try await mappings(request) }
        v1.delete("mappings") { request, _ in try await removeMappings(request) }
        v1.get("answers") { request, _ in try await answers(request) }
        v1.delete("answers") { request, _ in try await removeAnswers(request) }
        v1.get("policy/explain") { request, _ in try await explain(request) }
        v1.get("policy/rules") { request, _ in try await rules(request) }
        v1.get("policy/suggestion") { request, _ in try await suggestion(request) }
        v1.get("identities") { request, _ in try await identities(request) }
        v1.get("flows") { request, _ in try await flows(request) }
        v1.post("reload") { request, _ in try await reload(request) }
        return router
    }

    /// `GET /v1/status`
    private func status(_ request: Request) async throws -> Response {
        _ = try AdminParameters(request, known: [])
        return try .json(await backend.status())
    }

    /// `GET /v1/mappings?pattern=&identity=&source=`
    private func mappings(_ request: Request) async throws -> Response {
        let parameters = try AdminParameters(request, known: ["pattern", "identity", "source"])
        let names = try parameters.names()
        let source = try parameters.source()
        let identities = try await parameters.identities(among: backend.identities)
        let filter = MappingFilter(names: names, identities: identities)
        return .json { [backend] array in
            try await backend.mappings(filter) { chunk in
                let elements = chunk.flatMap { MappingListing.elements(of: $0) }
                try await array.append(elements.filter { source == nil || $0.source == source })
            }
        }
    }

    /// `GET /v1/answers?pattern=`
    private func answers(_ request: Request) async throws -> Response {
        let names = try AdminParameters(request, known: ["pattern"]).names()
        return .json { [backend] array in
            try await backend.answers(names) { chunk in
                try await array.append(chunk)
            }
        }
    }

    /// `DELETE /v1/answers?pattern=`
    private func removeAnswers(_ request: Request) async throws -> Response {
        let names = try AdminParameters(request, known: ["pattern"]).names()
        return try .json(AdminRemoval(removed: await backend.removeAnswers(names)))
    }

    /// `DELETE /v1/mappings?pattern=`
    private func removeMappings(_ request: Request) async throws -> Response {
        let names = try AdminParameters(request, known: ["pattern"]).names()
        return try .json(AdminRemoval(removed: await backend.removeMappings(names)))
    }

    /// `GET /v1/policy/explain?client=&name=&type=&transport=`
    private func explain(_ request: Request) async throws -> Response {
        let parameters = try AdminParameters(request, known: ["client", "name", "type", "transport"])
        let query = ExplainedQuery(
            client: try parameters.value("client", "an IP address") { IPAddress($0) },
            name: try parameters.name("name"),
            type: try parameters.value("type", "a record type such as AAAA", default: .a) { RecordType($0) },
            transport: try parameters.value("transport", "udp or tcp", default: .udp) { text in
                switch text {
                case "udp": .udp
                case "tcp": .tcp
                default: nil
                }
            })
        return try .json(await backend.explain(query))
    }

    /// `GET /v1/policy/rules?identity=`
    private func rules(_ request: Request) async throws -> Response {
        let parameters = try AdminParameters(request, known: ["identity"])
        let identities = try await parameters.identities(among: backend.identities)
        return .json { [backend] array in
            try await backend.rules(of: identities) { try await array.append($0) }
        }
    }

    /// `GET /v1/policy/suggestion?identity=`
    private func suggestion(_ request: Request) async throws -> Response {
        let parameters = try AdminParameters(request, known: ["identity"])
        let identity = try await parameters.identity(among: backend.identities)
        guard let suggestion = await backend.suggestion(for: identity) else {
            throw AdminRequestError(
                "identity: there is no identity \(identity)", parameter: "identity", status: .notFound)
        }
        return try .json(suggestion)
    }

    /// `GET /v1/identities`
    private func identities(_ request: Request) async throws -> Response {
        _ = try AdminParameters(request, known: [])
        return .json { [backend] array in
            try await array.append(await backend.identities())
        }
    }

    /// `GET /v1/flows?last=&since=&follow=&verdict=&outcome=&name=&identity=&client=&type=&rcode=&not-verdict=` and so on
    private func flows(_ request: Request) async throws -> Response {
        let wanted = try await AdminParameters(request, known: FlowRequest.parameters)
            .flows(among: backend.identities)
        guard backend.keepsFlows else {
            return try .json(
                AdminFailure(error: "flows are switched off: the configuration says flows: none"), status: .notFound)
        }
        return .lines { [backend] lines in
            try await backend.flows(wanted) { try await lines.append($0) }
        }
    }

    /// `POST /v1/reload`
    private func reload(_ request: Request) async throws -> Response {
        _ = try AdminParameters(request, known: [])
        let problems = await backend.reload()
        let failed = problems.hasErrors
        return try .json(
            AdminReload(reloaded: !failed, problems: problems.map(\.description)),
            status: failed ? .unprocessableContent : .ok)
    }
}
