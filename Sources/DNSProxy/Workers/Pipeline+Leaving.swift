extension Pipeline {
    /// Whether nobody waits for anything here.
    var isIdle: Bool { holds.isEmpty && exchanges.count == 0 }

    /// Takes every query that came as a datagram and waits for an upstream.
    mutating func takeLeftQueries(_ listeners: borrowing Listeners) -> [LeftQuery] {
        let addresses = listeners.addresses
        var left: [LeftQuery] = []
        for place in exchanges.places.indices where exchanges.has(place) {
            while let waiter = exchanges.popWaiter(place) {
                guard let query = LeftQuery(waiter, at: addresses) else { continue }
                left.append(query)
            }
        }
        return left
    }
}
