import FQDNPolicy
import MappingFeed
import Synchronization

/// The sets of rules that mappings refer to, each kept once and known by a small number.
final class RuleSets: Sendable {
    /// Sets that are kept; a policy that makes more of them gets the empty set for the rest.
    private static let limit = 1 << 20

    /// The sets and their numbers.
    private struct State {
        /// By number; 0 is the empty set.
        var sets: [[MappingRule]] = [[]]
        /// Numbers by set.
        var numbers: [[MappingRule]: UInt32] = [[]: 0]
    }

    /// The sets and their numbers.
    private let state = Mutex(State())

    /// The number of the set that the policy selected.
    func handle(for rules: [SelectedRule]) -> UInt32 {
        rules.isEmpty ? 0 : handle(for: rules.map(MappingRule.init))
    }

    /// The number of a set of the feed.
    func handle(for rules: [MappingRule]) -> UInt32 {
        state.withLock { state in
            if let number = state.numbers[rules] { return number }
            guard state.sets.count < RuleSets.limit else { return 0 }
            let number = UInt32(state.sets.count)
            state.sets.append(rules)
            state.numbers[rules] = number
            return number
        }
    }

    /// The set of that number.
    func rules(of number: UInt32) -> [MappingRule] {
        state.withLock { Int(number) < $0.sets.count ? $0.sets[Int(number)] : [] }
    }
}

extension MappingRule {
    /// A rule of the policy, in the feed's terms.
    init(_ rule: SelectedRule) {
        self.init(
            policy: rule.policy,
            ports: rule.ports.map {
                MappingPort(
                    port: $0.port, endPort: $0.endPort, transport: MappingTransport(rawValue: $0.protocol) ?? .any)
            })
    }
}
