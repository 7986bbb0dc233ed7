import Hummingbird

/// The page and what its script asks for: requests that change nothing, under the headers that keep a browser from doing
/// more with them than show them.
struct PageRoutes {
    /// Who knows the answers.
    private let backend: any AdminBackend
    /// Where viewers are told what happens.
    private let events: PageEvents
    /// Searches under way.
    private let searches = PageSearches()
    /// Whether only clients on this machine can connect, so that no other name than its own can lead here.
    private let isLocal: Bool

    /// The page of `backend`, live through `events`.
    init(_ backend: any AdminBackend, events: PageEvents, isLocal: Bool) {
        self.backend = backend
        self.events = events
        self.isLocal = isLocal
    }

    /// Adds every request to `router`.
    func add(to router: Router<BasicRequestContext>) {
        let page = router.group().add(middleware: PageGuard(isLocal: isLocal))
        for file in PageFile.all {
            page.get(RouterPath(file.path)) { request, _ in
                _ = try AdminParameters(request, known: [])
                return file.response
            }
        }
        page.get("v1/events") { request, _ in try events(request) }
        page.get("v1/mappings/search") { request, _ in try await search(request) }
    }

    /// `GET /v1/events`: server-sent events for as long as the viewer reads them.
    private func events(_ request: Request) throws -> Response {
        _ = try AdminParameters(request, known: [])
        guard let stream = events.join() else {
            var response = try Response.json(
                AdminFailure(error: "\(PageEvents.viewerLimit) viewers are there already"), status: .serviceUnavailable)
            response.headers[.retryAfter] = "3"
            return response
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                for await event in stream { try await writer.write(event) }
                try await writer.finish(nil)
            })
    }

    /// `GET /v1/mappings/search?pattern=`
    private func search(_ request: Request) async throws -> Response {
        let names = try AdminParameters(request, known: ["pattern"]).names()
        guard let found = await searches.run(names, in: backend) else {
            return try .json(
                AdminFailure(error: "other searches are under way; try again"), status: .serviceUnavailable)
        }
        var response = try Response.json(found)
        response.headers[.cacheControl] = "no-store"
        return response
    }
}
