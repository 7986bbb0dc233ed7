package import DNSWire
package import MappingFeed

/// What of the table is in the kernel, but for the elements of the sets; and the commands that change it.
package struct KernelTable: Sendable {
    /// How it is written.
    package let ruleset: Ruleset
    /// The identities whose clients are in the maps.
    private var identities: [UInt64: FeedIdentity] = [:]
    /// Those clients, in order.
    package private(set) var clients: [ClientRange] = []
    /// The identities that have a chain.
    private var chains: Set<UInt64> = []
    /// The sets.
    private var sets: [UInt64: Set<ElementSet>] = [:]

    /// A table of which nothing is known.
    package init(ruleset: Ruleset) {
        self.ruleset = ruleset
    }

    /// The identity that a client address belongs to; nil if it is not a known one.
    package func identity(of client: IPAddress) -> UInt64? {
        // IPv4 ranges come first, then IPv6 ranges, each in order.
        var bounds = clients.startIndex..<clients.endIndex
        while !bounds.isEmpty {
            let middle = bounds.lowerBound + bounds.count / 2
            let range = clients[middle]
            if range.contains(client) { return range.identity }
            let isBehind = range.isIPv4 == client.isIPv4 ? range.last < client : range.isIPv4
            bounds = isBehind ? middle + 1..<bounds.upperBound : bounds.lowerBound..<middle
        }
        return nil
    }

    // MARK: Everything at once

    /// The commands that make the table equal to `state`, whatever is in it, and that leave `self` as it will be then.
    ///
    /// Openings whose time is over are left out. Sets are deleted and made anew, chains that go on and the maps of clients are emptied and filled. All of it is one
    /// generation: a packet sees all of the old or all of the new. The base chain stays, and so do the maps: a packet that
    /// is on its way through the old rules while the kernel turns over finds nothing in a map that is deleted.
    package mutating func rewrite(_ state: FeedState, found: KernelObjects, now: Double) -> String {
        self = KernelTable(ruleset: ruleset)
        var text = ruleset.foundation
        let table = ruleset.table
        let openings = Dictionary(grouping: state.openings, by: \.identity)
        let wanted = Set(state.identities.keys).union(openings.keys).union(ruleset.constantIdentities)
        let known = Dictionary(wanted.map { (Ruleset.chain($0), $0) }) { first, _ in first }
        chains = wanted
        identities = state.identities
        // The library sends the elements of a map that is new in the transaction along with the map, and so before all that
        // follows it: the chains that they name have to be there by then.
        let there = Set(found.chains)
        for identity in wanted.sorted() where !there.contains(Ruleset.chain(identity)) {
            text += ruleset.emptyChain(identity, comment: name(of: identities[identity], identity))
        }
        text += "flush chain inet \(table) \(Ruleset.baseChain)\n"
        // A map must let go of the chains before those can be deleted, and a chain of the sets.
        for chain in found.chains where chain != Ruleset.baseChain { text += "flush chain inet \(table) \(chain)\n" }
        for map in found.maps {
            let isOurs = [true, false].contains { Ruleset.clients(isIPv4: $0) == map }
            text += "\(isOurs ? "flush" : "delete") map inet \(table) \(map)\n"
        }
        for set in found.sets { text += "delete set inet \(table) \(set)\n" }
        for chain in found.chains where chain != Ruleset.baseChain && known[chain] == nil {
            text += "delete chain inet \(table) \(chain)\n"
        }
        text += ruleset.baseRules
        var batch = ElementBatch()
        for identity in wanted.sorted() {
            text += ruleset.lastRule(identity)
            // What is over must not be open for one more second.
            for opening in openings[identity] ?? [] where opening.expires > now {
                let label = KernelTable.label(state.names(identity, opening.address), latest: nil)
                for element in opening.elements {
                    text += make(element.set)
                    batch.add(element, until: opening.expires, now: now, comment: label)
                }
            }
        }
        clients = ClientRange.split(identities.values)
        text += members(clients, command: "add")
        text += batch.text(table)
        return text
    }

    /// Whether `found` is what has to be in the kernel. A rule or an element that somebody exchanged is not noticed.
    package func isWhole(_ found: KernelObjects?) -> Bool {
        guard let found, found.maps.sorted() == [true, false].map(Ruleset.clients).sorted() else { return false }
        var ruleCounts = [Ruleset.baseChain: Ruleset.baseRuleCount]
        for identity in chains { ruleCounts[Ruleset.chain(identity)] = 1 + (sets[identity]?.count ?? 0) }
        return found.ruleCounts == ruleCounts && Set(found.chains) == Set(ruleCounts.keys)
            && Set(found.sets) == Set(sets.values.joined().map(\.name))
    }

    // MARK: Changes

    /// The commands that put `changes`, which led to `state`, in force, and that leave `self` as it will be then.
    package mutating func commands(for changes: [TableChange], in state: FeedState, now: Double) -> String {
        var text = ""
        var batch = ElementBatch()
        var gone: Set<UInt64> = []
        var hasIdentities = false
        for case .identity(let change) in changes {
            hasIdentities = true
            identities[change.id] = change.new
            if let new = change.new { text += makeChain(new.id) } else { gone.insert(change.id) }
        }
        for case .opening(let change) in changes {
            guard let opening = change.new ?? change.old else { continue }
            if change.new != nil {
                text += makeChain(opening.identity)
                gone.remove(opening.identity)
            }
            for element in change.old?.elements ?? [] where has(element.set) { batch.remove(element) }
            guard change.new != nil else { continue }
            let label = KernelTable.label(state.names(opening.identity, opening.address), latest: change.name)
            for element in opening.elements {
                text += make(element.set)
                batch.add(element, until: opening.expires, now: now, comment: label)
            }
        }
        if hasIdentities { text += exchangeClients() }
        text += batch.text(ruleset.table)
        for identity in gone.sorted() { text += removeChain(identity) }
        return text
    }

    /// Makes the chain of an identity if it is not there.
    private mutating func makeChain(_ identity: UInt64) -> String {
        guard !chains.contains(identity) else { return "" }
        chains.insert(identity)
        return ruleset.emptyChain(identity, comment: name(of: identities[identity], identity))
            + ruleset.lastRule(identity)
    }

    /// Makes a set if it is not there.
    private mutating func make(_ set: ElementSet) -> String {
        guard !has(set) else { return "" }
        sets[set.identity, default: []].insert(set)
        return ruleset.set(set, comment: name(of: identities[set.identity], set.identity))
    }

    /// Whether a set is there.
    private func has(_ set: ElementSet) -> Bool { sets[set.identity]?.contains(set) == true }

    /// Removes the chain of an identity and its sets; one that is always there is only emptied.
    private mutating func removeChain(_ identity: UInt64) -> String {
        guard chains.contains(identity) else { return "" }
        let chain = "chain inet \(ruleset.table) \(Ruleset.chain(identity))\n"
        let old = (sets.removeValue(forKey: identity) ?? []).map(\.name).sorted()
        let end: String
        if ruleset.constantIdentities.contains(identity) {
            end = ruleset.lastRule(identity)
        } else {
            chains.remove(identity)
            end = "delete \(chain)"
        }
        return "flush \(chain)\(end)" + old.map { "delete set inet \(ruleset.table) \($0)\n" }.joined()
    }

    /// Brings the maps of clients into line with the identities; ranges that stay are not touched.
    private mutating func exchangeClients() -> String {
        let new = ClientRange.split(identities.values)
        let (before, after) = (Set(clients), Set(new))
        defer { clients = new }
        return members(clients.filter { !after.contains($0) }, command: "delete")
            + members(new.filter { !before.contains($0) }, command: "add")
    }

    /// Adds or deletes ranges of clients.
    private func members(_ ranges: [ClientRange], command: String) -> String {
        [true, false].map { family -> String in
            let elements = ranges.filter { $0.isIPv4 == family }.map { range -> String in
                guard command == "add" else { return range.element }
                let comment = name(of: identities[range.identity], range.identity)
                return "\(range.element) comment \"\(comment)\" : jump \(Ruleset.chain(range.identity))"
            }
            guard !elements.isEmpty else { return "" }
            let map = Ruleset.clients(isIPv4: family)
            return "\(command) element inet \(ruleset.table) \(map) { \(elements.joined(separator: ", ")) }\n"
        }.joined()
    }

    /// The names that hold an address open, fit for a comment: the latest or any, and how many more there are.
    private static func label(_ names: some Collection<DomainName>, latest: DomainName?) -> String {
        guard let first = latest.flatMap({ names.contains($0) ? $0 : nil }) ?? names.first else { return "" }
        return Ruleset.comment("\(first)") + (names.count > 1 ? " and \(names.count - 1) more" : "")
    }

    /// What a person calls an identity, fit for a comment.
    private func name(of identity: FeedIdentity?, _ id: UInt64) -> String {
        guard let identity else { return id == Ruleset.unknown ? "reserved:unknown" : "identity \(id)" }
        return Ruleset.comment(identity.namespace.isEmpty ? identity.name : "\(identity.namespace)/\(identity.name)")
    }
}
