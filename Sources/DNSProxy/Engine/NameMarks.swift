import DNSWire

/// Names, each with a mark, without an allocation for each: the bytes stand one behind the other, and a table of places
/// finds them. Names cannot be taken out one by one.
struct NameMarks: Sendable {
    /// For each name its mark, 0 or 1, and its canonical bytes, whose end is the root's zero.
    private var bytes: [UInt8] = []
    /// Where in `bytes` the names are, plus one, by their hashes; 0 where empty; a power of two of them.
    private var places = [UInt32](repeating: 0, count: 8)
    /// Names.
    private(set) var count = 0

    /// No names.
    init() {}

    /// Gives `name` a mark; true when it was not there, and then it is only if `adds`.
    @discardableResult
    mutating func set(_ name: DomainName, _ mark: Bool, adds: Bool) -> Bool {
        let place = place(of: name)
        guard places[place] == 0 else {
            bytes[Int(places[place]) - 1] = mark ? 1 : 0
            return false
        }
        guard adds else { return true }
        places[place] = UInt32(bytes.count) + 1
        bytes.append(mark ? 1 : 0)
        bytes.append(contentsOf: name.bytes)
        count += 1
        if count * 4 > places.count * 3 { grow() }
        return true
    }

    /// Every name and its mark, in the order in which they came.
    var all: [(name: DomainName, mark: Bool)] {
        var names: [(name: DomainName, mark: Bool)] = []
        names.reserveCapacity(count)
        var start = 0
        while start < bytes.count {
            let end = end(from: start + 1)
            names.append((DomainName(canonicalBytes: [UInt8](bytes[(start + 1)..<end])), bytes[start] != 0))
            start = end
        }
        return names
    }

    /// Behind the name that begins at `start`.
    private func end(from start: Int) -> Int {
        var end = start
        while bytes[end] != 0 { end += 1 + Int(bytes[end]) }
        return end + 1
    }

    /// The place of a name, or the empty one where it belongs.
    private func place(of name: DomainName) -> Int {
        let mask = places.count - 1
        var place = Int(truncatingIfNeeded: name.hash(seed: .process)) & mask
        while places[place] != 0, !isEqual(name, at: Int(places[place])) { place = (place + 1) & mask }
        return place
    }

    /// Whether the name that begins at `start` is `name`: neither can be the beginning of the other.
    private func isEqual(_ name: DomainName, at start: Int) -> Bool {
        guard start + name.bytes.count <= bytes.count else { return false }
        for index in name.bytes.indices where bytes[start + index] != name.bytes[index] { return false }
        return true
    }

    /// Doubles the places.
    private mutating func grow() {
        places = [UInt32](repeating: 0, count: places.count * 2)
        var start = 0
        while start < bytes.count {
            let end = end(from: start + 1)
            let hash = HashSeed.process.hash(bytes.span.extracting((start + 1)..<end))
            var place = Int(truncatingIfNeeded: hash) & (places.count - 1)
            while places[place] != 0 { place = (place + 1) & (places.count - 1) }
            places[place] = UInt32(start) + 1
            start = end
        }
    }
}
