import Testing

@testable import DNSProxy

/// Times as text.
@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"),
        (1_767_323_045.678, "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05Z"),
        // To the nearest millisecond, also over the end of a second.
        (1_767_323_045.9994, "2026-01-02T03:04:05.999Z", "2026-01-02T03:04:05Z"),
        (1_767_323_045.9996, "2026-01-02T03:04:06.000Z", "2026-01-02T03:04:05Z"),
        (-1, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"),
        (.nan, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"),
        (1e300, "9999-12-31T23:59:59.000Z", "9999-12-31T23:59:59Z"),
        (.infinity, "9999-12-31T23:59:59.000Z", "9999-12-31T23:59:59Z"),
    ])
    func `seconds are told to the millisecond or the second, and never out of range`(
        seconds: Double, precise: String, whole: String
    ) {
        #expect(Timestamp.text(seconds) == precise)
        #expect(Timestamp.seconds(seconds) == whole)
    }
}
