import Testing

@testable import DNSProxy

/// How many connections there may be.
@Suite struct DescriptorBudgetTests {
    @Test(arguments: [
        // What is configured, where there are enough.
        (4_096, 65_536, 2, 2, 4_096), (10_000, 1_048_576, 16, 8, 10_000), (1, 65_536, 2, 2, 1),
        // Less, so that two workers can ask two servers.
        (4_096, 1_024, 2, 2, 704), (4_096, 4_096, 2, 2, 3_776),
        // A quarter at least, however few there are.
        (4_096, 1_024, 16, 8, 256), (4_096, 64, 2, 2, 16), (4_096, 2, 2, 2, 1), (4_096, 0, 2, 2, 1),
        // Of a hundred servers not all are spoken with at once.
        (1_000_000, 100_000, 2, 100, 99_296),
    ])
    func `connections leave descriptors for everything else`(
        _ wanted: Int, _ descriptors: Int, _ workers: Int, _ servers: Int, _ expected: Int
    ) {
        #expect(
            DescriptorBudget.connections(
                wanted: wanted, descriptors: descriptors, workers: workers, servers: servers) == expected)
    }
}
