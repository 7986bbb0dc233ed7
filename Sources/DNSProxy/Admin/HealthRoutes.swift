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
        router.add(middleware: AdminFailures())
        router.get("health") { _, _ in Response.text("OK\n") }
        router.get("ready") { [backend] _, _ in
            let missing = backend.notReady()
            guard !missing.isEmpty else { return Response.text("OK\n") }
            return Response.text(missing.map { "not ready: \($0)\n" }.joined(), status: .serviceUnavailable)
        }
        return router
    }
}

/// What Prometheus asks, `/metrics`, and beside it the page if it is switched on.
struct MetricsRoutes {
    /// Who counts.
    private let backend: any AdminBackend
    /// The page; nil when it is switched off.
    private let page: PageRoutes?

    /// The figures of `backend`.
    init(_ backend: any AdminBackend, page: PageRoutes?) {
        self.backend = backend
        self.page = page
    }

    /// All requests.
    func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: AdminFailures())
        router.get("metrics") { [backend] request, _ in
            let format = MetricsText.Format(accepting: request.headers[values: .accept])
            let page = MetricsPage(await backend.metrics(), process: .current(), format: format)
            var response = Response.text(page.text, type: format.contentType)
            response.headers[.vary] = "Accept"
            return response
        }
        if let page {
            page.add(to: router)
        } else {
            router.get { _, _ in
                try Response.json(
                    AdminFailure(error: "the page is switched off; admin.page: true in the configuration turns it on"),
                    status: .notFound)
            }
        }
        return router
    }
}

extension MetricsText.Format {
    /// The format that a client with these `Accept` headers would rather have (RFC 9110, section 12.5.1): OpenMetrics only
    /// if it names it and likes it no less than plain text.
    init(accepting headers: [String]) {
        var openMetrics = 0.0
        var plain = 0.0
        for range in headers.flatMap({ $0.split(separator: ",") }) {
            let parts = range.split(separator: ";").map { part in
                part.filter { $0 != " " && $0 != "\t" }.lowercased()
            }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            switch parts.first {
            case "application/openmetrics-text": openMetrics = max(openMetrics, quality)
            case "text/plain", "text/*", "*/*": plain = max(plain, quality)
            default: break
            }
        }
        self = openMetrics > 0 && openMetrics >= plain ? .openMetrics : .prometheus
    }
}
