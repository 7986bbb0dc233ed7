/// The patience with upstreams, and what they are asked at most.
enum UpstreamTiming {
    /// Nanoseconds that an attempt over UDP may take, the first time that a server is asked.
    static let datagramAttempt: Int64 = 800_000_000
    /// Nanoseconds that it may take the first, the second and the third time.
    static let datagramAttempts: [3 of Int64] = [datagramAttempt, 1_200_000_000, 2_000_000_000]
    /// How often a server is asked the same question over the same transport (RFC 9520, section 3.1).
    static let attemptsPerServer = 3
    /// Nanoseconds that one attempt over a connection may take.
    static let streamAttempt: Int64 = 2_000_000_000
    /// Nanoseconds after which an exchange starts no further attempt, and the last one gets no longer than one over UDP
    /// does; clients give up after 5 s by default.
    static let exchange: Int64 = 4_000_000_000
    /// Attempts of one exchange at most, so that the last server of a long list is still reached.
    static let attempts = 6
    /// Seconds that a failure is remembered, so that clients that repeat do not become upstream traffic (RFC 9520,
    /// section 3.2: at least 1 s, at most 5 min).
    static let failureLifetime: UInt32 = 2
    /// Nanoseconds that a client waits for the upstream when an answer past its lifetime is at hand: the client
    /// response timer (RFC 8767, section 5).
    static let clientResponse: Int64 = 1_800_000_000
    /// Seconds between two attempts to renew an answer past its lifetime: the failure recheck timer (RFC 8767,
    /// section 5).
    static let failureRecheck: UInt32 = 30
    /// Seconds that the renewal of an answer that is about to expire is not tried again.
    static let prefetchRecheck: UInt32 = 10
    /// Seconds that a server is spoken to without EDNS, or without random case, before it is tried again.
    static let exceptionLifetime: Int64 = 3_600
    /// Attempts in flight to one server, of one worker.
    static let inFlightPerServer = 2_048
    /// Questions of one client that may wait for upstreams, of one worker.
    static let waitingPerClient = 1_024
}
