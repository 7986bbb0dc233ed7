import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

extension AdminClient {
    /// Hands the values that `GET path` answers, one a line, to `body` as they arrive, until the daemon ends its answer.
    /// - Throws: `CommandFailure` when the daemon cannot be reached, refuses, or goes away in between; what `body` throws.
    func lines<Element: Decodable>(
        _ path: String, _ parameters: Parameters, _ body: ([Element]) throws -> Void
    ) async throws {
        try await send(.GET, path, parameters) { response in
            // From here on the daemon may be silent for as long as it likes.
            Progress.end()
            let decoder = JSONDecoder()
            var lines = LineSplitter(limit: AdminClient.lineLimit)
            for try await part in response {
                var elements: [Element] = []
                try lines.append(part.readableBytesView) { line in
                    guard !line.isEmpty else { return }
                    elements.append(try decoder.decode(Element.self, from: Data(line)))
                }
                try body(elements)
            }
        }
    }
}
