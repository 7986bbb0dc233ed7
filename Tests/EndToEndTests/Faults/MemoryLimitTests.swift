import Foundation
import Testing

extension EndToEnd {
    /// The daemon in a control group that has little memory, under a flood of names that it has to learn.
    @Suite struct MemoryLimits {
        /// Names of the flood; from 100,000 on the journal alone is larger than the limit, and an identity has more names
        /// than it may have.
        private static let names = ProcessInfo.processInfo.environment["DNSPROXYD_FLOOD"].flatMap(Int.init) ?? 6_000

        /// Bytes of memory that there are.
        private static let limit = 96_000_000

        /// Asks for the names with these numbers, some at a time; each has to be answered with an address.
        private static func ask(_ client: DNSClient, _ label: String, _ numbers: Range<Int>) throws {
            for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 64) {
                let batch = start..<min(start + 64, numbers.upperBound)
                for number in batch { client.ask("\(label)\(number).test.example") }
                for number in batch {
                    let answer = try #require(client.answer(), "\(label)\(number) or one beside it is not answered")
                    try #require(answer.code == 0 && answer.answerCount == 1, "\(label): \(answer)")
                }
            }
        }

        @Test(
            .enabled(if: MemoryGroup.isAvailable, "needs root and a control group for memory"), .timeLimit(.minutes(30))
        )
        func `in 96 MB of memory a flood of names that are learned ends nothing, and known names stay answered`() throws
        {
            let nsd = try NSD(zone: "* IN A 192.0.2.1")
            let group = try MemoryGroup()
            try group.limit(to: Self.limit)
            var setup = Setup(upstream: nsd.port)
            setup.policies = ["web.yaml": Setup.policy("web")]
            setup.extra = "cache: {size: 16MiB}\nlog: {level: warning}"
            let daemon = try Daemon(setup, through: group.wrapper)
            let client = try daemon.client()
            let idle = try group.anonymous()
            for start in stride(from: 0, to: Self.names, by: 1_000) {
                try Self.ask(client, "flood", start..<min(start + 1_000, Self.names))
                try Self.ask(client, "known", 0..<64)
            }
            #expect(try group.kills() == 0 && daemon.process.poll() == nil)
            let (anonymous, files, hits) = (try group.anonymous(), try group.files(), try group.timesAtLimit())
            #expect(anonymous > idle && anonymous < Self.limit)
            // The long form comes to the limit, and lives on because the kernel takes back the pages of files.
            if Self.names >= 100_000 { #expect(hits > 0) }
            print(
                """
                \(Self.names) names learned in \(Self.limit) bytes: \(idle) bytes of its own before, \(anonymous) \
                after, \(files) of files, \(hits) times at the limit
                """)
        }
    }
}
