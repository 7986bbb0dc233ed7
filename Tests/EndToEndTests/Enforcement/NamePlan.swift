/// The names of the stage and the addresses that they have in each generation of the zone. No address has two names,
/// and none comes back within 256 generations, so that each connection says which answer it came from.
enum NamePlan {
    /// The owner of the names that all identities may have.
    static let shared = "shared"
    /// The owner of addresses that no name ever has.
    static let nobody = "nobody"
    /// Whose names and addresses there are: the label `app` of an identity, or one of the two above.
    private static let owners = ["web", "batch", "jobs", shared, nobody]
    /// Names that an owner has at most.
    static let capacity = 1024

    /// The name of number `index`.
    static func name(_ owner: String, _ index: Int) -> String { "n\(index).\(owner).\(Outside.origin)" }

    /// The pattern that selects all names of an owner.
    static func pattern(_ owner: String) -> String { "*.\(owner).\(Outside.origin)" }

    /// Its address; every second name has an IPv6 address instead of an IPv4 one.
    static func address(_ owner: String, _ index: Int, generation: Int) -> String {
        let place = 4 * number(owner)
        let host = (generation % 256) * capacity + index % capacity
        guard index % 2 == 0 else {
            return "fd09:0:0:\(number(owner)):\(String(generation, radix: 16))::\(String(index, radix: 16))"
        }
        return "10.\(64 + place + host >> 16).\(host >> 8 & 255).\(host & 255)"
    }

    /// The IPv4 addresses of all generations of an owner.
    static func range4(_ owner: String) -> String { "10.\(64 + 4 * number(owner)).0.0/14" }

    /// The IPv6 addresses of all generations of an owner.
    static func range6(_ owner: String) -> String { "fd09:0:0:\(number(owner))::/64" }

    /// TTLs of 1 to 5 seconds, by the name.
    static func ttl(_ index: Int) -> Int { 1 + index / 2 % 5 }

    /// The zone's records in `generation`, with `count` names for each identity.
    static func zone(generation: Int, count: Int) -> String {
        owners.filter { $0 != nobody }.flatMap { owner in
            (0..<count).map { index in
                let address = address(owner, index, generation: generation)
                return "n\(index).\(owner) \(ttl(index)) IN \(address.contains(":") ? "AAAA" : "A") \(address)"
            }
        }.joined(separator: "\n")
    }

    /// The place of an owner in all ranges.
    private static func number(_ owner: String) -> Int { owners.firstIndex(of: owner) ?? owners.count }
}
