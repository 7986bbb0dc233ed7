extension Pipeline {
    /// Whether nobody waits for anything here.
    var isIdle: Bool { holds.isEmpty && exchanges.count == 0 }

    /// Takes every query that came as a datagram and waits for an upstream.
    mutating func takeLeftQueries(_ listeners: borrowing Listeners) -> [LeftQuery] {
        var left: [LeftQuery] = []
        for place in exchanges.places.indices where exchanges.has(place) {
            while let waiter = exchanges.popWaiter(place) {
                guard case .datagram(let socket) = waiter.sender.path, listeners.sockets.indices.contains(socket),
                    let query = LeftQuery(waiter, at: listeners.sockets[socket].address)
                else { continue }
                left.append(query)
            }
        }
        return left
    }
}
