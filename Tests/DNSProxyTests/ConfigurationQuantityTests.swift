import Testing

@testable import DNSProxy

/// Times and sizes as documents write them.
@Suite struct ConfigurationQuantityTests {
    @Test(arguments: [
        ("0s", 0), ("100ms", 100), ("1s", 1_000), ("60s", 60_000), ("5m", 300_000), ("24h", 86_400_000),
        ("7d", 604_800_000), ("007s", 7_000),
    ])
    func `a time is a whole number and a unit`(_ text: String, _ milliseconds: Int) {
        #expect(TimeSpan(text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "5", "s", "ms", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S", "1h30m", "1w", "1us", "٣s", "0x1s",
        "9223372036854775807d", "99999999999999999999s",
    ])
    func `anything else is no time`(_ text: String) {
        #expect(TimeSpan(text) == nil)
    }

    @Test(arguments: [("1s", 1), ("0ms", 0), ("2000ms", 2), ("1m", 60)])
    func `whole seconds are told from fractions`(_ text: String, _ seconds: Int) {
        #expect(TimeSpan(text)?.wholeSeconds == seconds)
        #expect(TimeSpan("1500ms")?.wholeSeconds == nil)
    }

    @Test(arguments: ["0s", "1ms", "1500ms", "59s", "90s", "1m", "90m", "25h", "1d", "7d"])
    func `the shortest text of a time reads back as the same`(_ text: String) throws {
        let span = try #require(TimeSpan(text))
        #expect(TimeSpan.text(milliseconds: span.milliseconds) == text)
    }

    @Test(arguments: [
        ("0", 0), ("1048576", 1 << 20), ("1KiB", 1_024), ("64MiB", 64 << 20), ("1GiB", 1 << 30), ("2TiB", 2 << 40),
        ("500KB", 500_000), ("3MB", 3_000_000), ("1GB", 1_000_000_000), ("1TB", 1_000_000_000_000),
    ])
    func `a size is a whole number of bytes or of a unit of them`(_ text: String, _ bytes: Int) {
        #expect(ByteSize(text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", "MiB", "64M", "64Mi", "64mib", "64 MiB", "-1", "1.5GiB", "1B", "1KiBKiB", "9007199254740992TiB",
        "99999999999999999999",
    ])
    func `anything else is no size`(_ text: String) {
        #expect(ByteSize(text) == nil)
    }
}
