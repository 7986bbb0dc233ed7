import DNSWire
import Hummingbird

/// Keeps other web sites away from the page and from what it shows.
struct PageGuard: RouterMiddleware {
    /// What comes with a request.
    typealias Context = BasicRequestContext

    /// Whether the request must be for this machine by a name or an address that can mean no other.
    let isLocal: Bool

    /// What a browser may do with an answer: load these files and ask this daemon, and nothing else.
    private static var headers: HTTPFields {
        [
            .contentSecurityPolicy:
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            .xContentTypeOptions: "nosniff",
            .crossOriginResourcePolicy: "same-origin",
        ]
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        // Another site can have its own name lead to 127.0.0.1, but not the browser send another name than that.
        guard !isLocal || PageGuard.isThisMachine(request.head.authority ?? "") else {
            return try .json(
                AdminFailure(error: "the page is at localhost or at a loopback address, not at this name"),
                status: .misdirectedRequest)
        }
        var response = try await next(request, context)
        for field in PageGuard.headers { response.headers[field.name] = field.value }
        return response
    }

    /// Whether `authority`, a host with or without a port, is `localhost` or a loopback address.
    static func isThisMachine(_ authority: String) -> Bool {
        var host = authority[...]
        if let end = host.lastIndex(of: "]") {
            host = host[..<end].dropFirst(host.first == "[" ? 1 : 0)
        } else if let colon = host.lastIndex(of: ":") {
            host = host[..<colon]
        }
        return host.lowercased() == "localhost" || IPAddress(String(host))?.isLoopback == true
    }
}
