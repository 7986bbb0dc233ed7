import MappingFeed

/// CPU time of writing one new mapping to the journal: encoding its line and appending it.
enum JournalCost {
    /// Mappings of a round.
    private static let count = 200_000

    /// One line for each size of a batch.
    static func measure(rounds: Int, folder: String) throws -> [Row] {
        let events = (0..<count).map { FeedEvent.upsert(Mappings.mapping($0)) }
        return try [1, 16, 256].map { batch in
            var costs: [Double] = []
            for round in 1...rounds {
                var journal = try Journal(directory: "\(folder)/journal.\(batch).\(round)") { _ in }
                let began = processSeconds()
                var lines: [UInt8] = []
                for index in events.indices {
                    events[index].encode(into: &lines)
                    if index % batch == batch - 1 {
                        try journal.append(lines.span)
                        lines.removeAll(keepingCapacity: true)
                    }
                }
                costs.append((processSeconds() - began) / Double(count) * 1e6)
                removeFolder("\(folder)/journal.\(batch).\(round)")
            }
            let what = "journal: encode and append a mapping, \(batch) at once"
            return Row(what: what, unit: "µs CPU", values: costs, goal: "<= 5")
        }
    }
}
