import DNSWire

/// The secrets of server cookies, the same for all workers.
struct CookieSecrets: Versioned {
    /// Counts rotations.
    private(set) var generation: UInt64 = 0
    /// How cookies are made and judged.
    private(set) var cookies = ServerCookies(current: .random())

    /// Time between two rotations. Cookies of the secret before are good for as long as they live, an hour.
    static let rotation = Duration.seconds(86_400)

    /// Secrets that nobody knows.
    init() {}

    /// These, with another secret for new cookies.
    func rotated() -> CookieSecrets {
        var next = self
        next.cookies.rotate(to: .random())
        next.generation += 1
        return next
    }
}
