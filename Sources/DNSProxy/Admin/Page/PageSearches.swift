import Synchronization

/// Searches in the mapping table for the page. A search goes through all mappings, so few run at once.
final class PageSearches: Sendable {
    /// What a search found.
    struct Found: Codable, Sendable {
        /// Mappings whose name matches.
        var count: Int
        /// The first of them, in any order.
        var first: [MappingListing]
    }

    /// Searches at once.
    private static let limit = 2
    /// Mappings of an answer.
    static let shown = 200

    /// Searches under way.
    private let running = Mutex(0)

    /// None under way.
    init() {}

    /// The mappings of `backend` under `names`; nil when too many searches are under way.
    func run(_ names: NameFilter, in backend: any AdminBackend) async -> Found? {
        let mayRun = running.withLock { running in
            guard running < PageSearches.limit else { return false }
            running += 1
            return true
        }
        guard mayRun else { return nil }
        defer { running.withLock { $0 -= 1 } }
        var found = Found(count: 0, first: [])
        var shown = 0
        // The body throws nothing, so neither does the listing.
        try? await backend.mappings(MappingFilter(names: names)) { chunk in
            found.count += chunk.count
            let more = chunk.prefix(PageSearches.shown - shown)
            shown += more.count
            found.first += more.flatMap { MappingListing.elements(of: $0) }
            await Task.yield()
        }
        return found
    }
}
