import DNSWire
import FQDNPolicy

/// What one worker remembers of the rules that select names: where the rules are that match -> their set. Most names of
/// an identity are selected by the same few patterns, and to sum up what these open costs more than to find them.
struct RuleSetMemory: ~Copyable {
    /// The rules that select a name.
    struct Selection {
        /// The number of their set.
        let ruleSet: UInt32
        /// Whether there are none.
        let isEmpty: Bool
    }

    /// One remembered set.
    private struct Slot {
        /// Where the rules are.
        var places = RulePlaces()
        /// The policy that has them there; 0 in an empty slot.
        var generation: UInt64 = 0
        /// What they are.
        var selection = Selection(ruleSet: 0, isEmpty: true)
    }

    /// Slots; what is remembered takes the place of what was there.
    private var slots = [Slot](repeating: Slot(), count: 1 << RuleSetMemory.bits)

    /// Bits of the number of a slot.
    private static let bits: UInt64 = 8

    /// Nothing remembered yet.
    init() {}

    /// The slot for rules at `places`.
    private func index(_ places: RulePlaces) -> Int {
        Int(truncatingIfNeeded: places.mixed >> (64 - RuleSetMemory.bits))
    }

    /// The rules of `policy` that select a name, or one of its aliases, for an identity, as they are known in `sets`.
    mutating func selection(
        identity: Int, name: borrowing NameBuffer, aliases: [DomainName], _ policy: PolicySnapshot, _ sets: RuleSets
    ) -> Selection {
        // Aliases differ from answer to answer.
        let places = policy.matchesAliases ? nil : policy.places(identity: identity, name: name)
        if let places, let known = selection(places, generation: policy.generation) { return known }
        let rules = policy.rules(identity: identity, name: name, aliases: aliases)
        let selection = Selection(ruleSet: sets.handle(for: rules), isEmpty: rules.isEmpty)
        if let places { store(selection, for: places, generation: policy.generation) }
        return selection
    }

    /// The set of the rules at `places`, if it is remembered of the policy with that generation.
    func selection(_ places: RulePlaces, generation: UInt64) -> Selection? {
        let slots = slots.span
        let index = index(places)
        guard slots[index].generation == generation, slots[index].places == places else { return nil }
        return slots[index].selection
    }

    /// Remembers the set of the rules at `places`.
    mutating func store(_ selection: Selection, for places: RulePlaces, generation: UInt64) {
        slots[index(places)] = Slot(places: places, generation: generation, selection: selection)
    }
}
