import Hummingbird

/// What a supervisor asks: `/health` whether to restart the process, `/ready` whether to send clients here.
struct HealthRoutes {
    /// Who knows.
    private let backend: any AdminBackend

    /// Health of `backend`.
    init(_ backend: any AdminBackend) {
        self.backend = backend
    }

    /// The two requests.
    func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.get("health") { _, _ in Response.text("OK\n") }
        router.get("ready") { [backend] _, _ in
            let missing = backend.notReady()
            guard !missing.isEmpty else { return Response.text("OK\n") }
            return Response.text(missing.map { "not ready: \($0)\n" }.joined(), status: .serviceUnavailable)
        }
        return router
    }
}

/// What Prometheus asks: `/metrics`.
struct MetricsRoutes {
    /// Who counts.
    private let backend: any AdminBackend

    /// The figures of `backend`.
    init(_ backend: any AdminBackend) {
        self.backend = backend
    }

    /// The one request.
    func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.get("metrics") { [backend] _, _ in
            let page = MetricsPage(await backend.metrics())
            return Response.text(page.text, type: "text/plain; version=0.0.4; charset=utf-8")
        }
        return router
    }
}
