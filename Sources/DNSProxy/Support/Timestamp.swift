import FoundationEssentials

/// Times as text, as everything shows them that people and programs read.
public enum Timestamp {
    /// UTC seconds since the epoch as RFC 3339 with milliseconds, rounded to the nearest one and stopping at the ends of
    /// what that can tell: 1970 and the year 9999.
    public static func text(_ seconds: Double) -> String {
        // Half a millisecond more, because the rest is cut off.
        date(seconds + 0.0005).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// The same in whole seconds, the rest cut off.
    public static func seconds(_ seconds: Double) -> String { date(seconds).formatted(.iso8601) }

    /// The moment, or the nearest one that can be told.
    private static func date(_ seconds: Double) -> Date {
        Date(timeIntervalSince1970: seconds.isNaN ? 0 : min(max(seconds, 0), 253_402_300_799))
    }
}
