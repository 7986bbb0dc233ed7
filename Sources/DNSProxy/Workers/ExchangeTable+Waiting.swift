import DNSWire

/// The clients that wait for exchanges.
extension ExchangeTable {
    /// Questions of the client with most that are looked through for one that makes room.
    private static let longestSearch = 64

    /// Clients that wait, over all exchanges.
    var waiterCount: Int { waiters.count - freeWaiters.count }
    /// Whether another client may wait.
    var hasRoomForWaiter: Bool { waiterCount < capacity * ExchangeTable.waitersPerExchange }

    /// How many questions of `client` wait.
    func waiting(_ client: IPAddress) -> Int { shares.count(client) }

    /// Lets a client wait for the exchange at `index`.
    mutating func join(_ index: Int, _ waiter: consuming Waiter) {
        let client = waiter.origin.client
        let place = freeWaiters.popLast() ?? waiters.count
        let first = places[index].firstWaiter
        let (share, newest) = shares.add(client, question: place)
        waiter.exchange = index
        waiter.next = first
        waiter.previous = -1
        waiter.share = share
        waiter.older = newest
        waiter.newer = -1
        if place == waiters.count { waiters.append(waiter) } else { waiters[place] = waiter }
        if first >= 0 { waiters[first].previous = place }
        if newest >= 0 { waiters[newest].newer = place }
        places[index].firstWaiter = place
        places[index].isWanted = true
    }

    /// Takes the next client that waits for the exchange at `index`, the latest first.
    mutating func popWaiter(_ index: Int) -> Waiter? {
        let place = places[index].firstWaiter
        return place >= 0 ? remove(place) : nil
    }

    /// Takes a question of the client with most, if that has at least two more than `client`, so that there is a fair share
    /// for each: the one that has waited longest of those whose exchange `fits`. With `isAlone` nobody else may wait for
    /// that exchange, which can end then.
    mutating func popHeaviest(
        than client: IPAddress, isAlone: Bool, fits: (borrowing Exchange) -> Bool = { _ in true }
    ) -> Waiter? {
        guard let share = shares.heaviest, shares.shares[share].count > shares.count(client) + 1 else { return nil }
        var place = shares.shares[share].oldest
        for _ in 0..<ExchangeTable.longestSearch where place >= 0 {
            let isFirst = waiters[place].previous < 0 && waiters[place].next < 0
            if !isAlone || isFirst, fits(places[waiters[place].exchange]) { return remove(place) }
            place = waiters[place].newer
        }
        return nil
    }

    /// Takes the client at `place` out of all lists.
    private mutating func remove(_ place: Int) -> Waiter {
        let waiter = waiters[place]
        if waiter.next >= 0 { waiters[waiter.next].previous = waiter.previous }
        if waiter.previous >= 0 {
            waiters[waiter.previous].next = waiter.next
        } else {
            places[waiter.exchange].firstWaiter = waiter.next
        }
        if waiter.older >= 0 { waiters[waiter.older].newer = waiter.newer }
        if waiter.newer >= 0 { waiters[waiter.newer].older = waiter.older }
        shares.remove(waiter.share, older: waiter.older, newer: waiter.newer)
        freeWaiters.append(place)
        return waiter
    }
}
