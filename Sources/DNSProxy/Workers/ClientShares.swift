import DNSWire

/// How many questions of each client wait, in lists of those with equally many: the client with most is found at once,
/// however many clients there are.
struct ClientShares {
    /// A client with a question at least.
    struct Share {
        /// The client.
        let client: IPAddress
        /// How many questions of it wait.
        var count = 0
        /// Place of the question that has waited longest, -1 for none.
        var oldest = -1
        /// Place of the latest one, -1 for none.
        var newest = -1
        /// The next client with as many, -1 for none.
        fileprivate var next = -1
        /// The one before it, -1 for none.
        fileprivate var previous = -1
    }

    /// Clients by place.
    private(set) var shares: [Share] = []
    /// Places that are free.
    private var free: [Int] = []
    /// Places by client.
    private var places: [IPAddress: Int] = [:]
    /// First client with that many questions, -1 for none.
    private var levels: [Int] = [-1]
    /// Most questions that a client has.
    private var most = 0

    /// Nobody waits.
    init() {}

    /// How many questions of `client` wait.
    func count(_ client: IPAddress) -> Int { places[client].map { shares[$0].count } ?? 0 }

    /// Place of a client with most questions; nil when nobody waits.
    var heaviest: Int? { most > 0 ? levels[most] : nil }

    /// Counts a question of `client`, the one at `question` of the waiting ones, and returns the client's place and its
    /// newest question so far, or -1.
    mutating func add(_ client: IPAddress, question: Int) -> (share: Int, newest: Int) {
        let place: Int
        if let known = places[client] {
            place = known
            unlink(place)
        } else {
            place = free.popLast() ?? shares.count
            if place == shares.count {
                shares.append(Share(client: client))
            } else {
                shares[place] = Share(client: client)
            }
            places[client] = place
        }
        let newest = shares[place].newest
        shares[place].newest = question
        if newest < 0 { shares[place].oldest = question }
        shares[place].count += 1
        link(place)
        return (place, newest)
    }

    /// Counts a question of the client at `place` out, whose next older and newer ones are `older` and `newer` or -1.
    mutating func remove(_ place: Int, older: Int, newer: Int) {
        unlink(place)
        shares[place].count -= 1
        if older < 0 { shares[place].oldest = newer }
        if newer < 0 { shares[place].newest = older }
        if shares[place].count > 0 {
            link(place)
        } else {
            places[shares[place].client] = nil
            free.append(place)
        }
    }

    /// Puts a client into the list of those with as many questions.
    private mutating func link(_ place: Int) {
        let count = shares[place].count
        while levels.count <= count { levels.append(-1) }
        shares[place].previous = -1
        shares[place].next = levels[count]
        if levels[count] >= 0 { shares[levels[count]].previous = place }
        levels[count] = place
        most = max(most, count)
    }

    /// Takes a client out of its list.
    private mutating func unlink(_ place: Int) {
        let (next, previous) = (shares[place].next, shares[place].previous)
        if next >= 0 { shares[next].previous = previous }
        if previous >= 0 { shares[previous].next = next } else { levels[shares[place].count] = next }
        while most > 0, levels[most] < 0 { most -= 1 }
    }
}
