import FoundationEssentials

/// Times as text.
enum Timestamp {
    /// UTC seconds since the epoch as RFC 3339 with milliseconds, stopping at the ends of what that can tell.
    static func text(_ seconds: Double) -> String {
        // Half a millisecond more, because the rest is cut off.
        let told = seconds.isNaN ? 0 : min(max(seconds + 0.0005, 0), 253_402_300_799)
        return Date(timeIntervalSince1970: told).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
